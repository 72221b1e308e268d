"""Crystals of any composition, read from files and kept with a reason for each that is not.

settings: what a configuration says.  read: files to structures.  filter: which of them are crystals
of the set, in which cell.  build: split and card.  describe: features and scores.  kind: the entry.
"""
