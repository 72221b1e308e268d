"""What CrysTens and UniMat share: diffusion, layers, scales and orders of atoms.

Both show structures to a U-Net as pictures, after imagen-pytorch 1.26.2, which "Dismai-Bench"
(Digital Discovery 2024, 3, 1889) used. Both depend on the order of the atoms in a file.
"""
