"""Crystals of any composition as pictures of 64 x 64 pixels in 4 channels (the CrysTens paper).

pictures: crystals to pictures.  reading: pictures to numbers.  clusters: which of these numbers are
meant to be one.  decode: pictures to crystals with all that a picture says of itself.
"""
