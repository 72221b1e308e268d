"""Names of columns that several tables share."""

ENERGY, STEPS, DISPLACEMENT = "energy_eV_per_atom", "relaxation_steps", "displacement_A"


RELAXED = [ENERGY, STEPS, DISPLACEMENT]

ENGINE_ENERGY = "engine_energy_eV_per_atom"
ENGINE_STEPS, ENGINE_STATUS = "engine_steps", "engine_status"
"""Of minima of a potential that the engine of `dft` relaxed further; status: ok, or why not."""


SPACE_GROUP = "space_group"
"""In the `info` of a crystal: its number."""
PUBLISHED_STEPS = "percent_of_published_steps"
"""In the `info` of a drawn structure, and a metric: how much of a published training was done."""
REFERENCE = "reference_energy_eV_per_atom"
"""On the card: zero of the interface energy in the potential of the dataset."""
ENGINE_REFERENCE = "engine_reference_energy_eV_per_atom"
"""On the card: the same for energies of the engine."""
