"""The properties of a crystal that the CrysTens paper predicts, by name. Imports nothing heavy."""

from typing import NamedTuple


class Property(NamedTuple):
    """One number of a crystal: what it is, its unit, the published network that predicts it."""

    label: str
    unit: str
    network: str

    @property
    def column(self) -> str:
        """Name of the feature, with its unit."""
        return f"cgcnn_{self.label.lower().replace(' ', '_')}_{UNITS[self.unit]}".removesuffix("_")


UNITS = {"eV/atom": "eV_per_atom", "eV": "eV", "log10 GPa": "log10_GPa", "1": ""}
PROPERTIES = {
    "formation_energy": Property("formation energy", "eV/atom", "formation-energy-per-atom"),
    "final_energy": Property("final energy", "eV/atom", "final-energy-per-atom"),
    "band_gap": Property("band gap", "eV", "band-gap"),
    "fermi_energy": Property("Fermi energy", "eV", "efermi"),
    "bulk_modulus": Property("bulk modulus", "log10 GPa", "bulk-moduli"),
    "shear_modulus": Property("shear modulus", "log10 GPa", "shear-moduli"),
    "poisson_ratio": Property("Poisson ratio", "1", "poisson-ratio"),
}
"""In the order of the paper's Fig. 7."""
NETWORK_OF = "network_of_"
"""Begins the names of inputs of a job that are networks in place of published ones."""
