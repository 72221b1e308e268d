"""Names of columns that several tables share."""

ENERGY, STEPS, DISPLACEMENT = "energy_eV_per_atom", "relaxation_steps", "displacement_A"


RELAXED = [ENERGY, STEPS, DISPLACEMENT]


SPACE_GROUP = "space_group"
"""In the `info` of a crystal: its number."""
REFERENCE = "reference_energy_eV_per_atom"
"""On the card: zero of the interface energy in the potential of the dataset."""
