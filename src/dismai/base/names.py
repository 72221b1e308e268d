"""Names of the datasets, and their elements; apart, because a command line needs no more."""

BASELINES = {
    "alloy": ("held_out", "random_decoration", "gaussian_displacement"),
    "amorphous_si": ("held_out", "gaussian_displacement", "random_atoms", "melt_quench"),
    "interface": (
        "held_out",
        "gaussian_displacement",
        "random_atoms",
        "random_interfaces",
        "random_interfaces_unrelaxed",
    ),
}
"""Baselines by the kind of the dataset."""


DATASETS = (
    "alloy_300K_narrow",
    "alloy_300K_wide",
    "alloy_1500K_narrow",
    "alloy_1500K_wide",
    "amorphous_si",
    "interface",
)
ELEMENTS = {
    "alloy": ("Cr", "Fe", "Ni"),
    "amorphous_si": ("Si",),
    "interface": ("Li", "Co", "Sc", "Cl", "O"),
}
"""Of the structures of each kind."""
