"""Properties that networks predict for a crystal as it is; they drive no atoms.

names: which there are.  predict: all of them, of a crystal.  cgcnn: the networks.
"""
