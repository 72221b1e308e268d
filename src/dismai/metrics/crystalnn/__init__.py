"""A fast, exact CrystalNN: Voronoi neighbours, likelihoods of coordination numbers, fingerprints.

The same numbers as pymatgen's CrystalNN and matminer's CrystalNNFingerprint ("ops"), for any
elements and oxidation states, without either library.
"""

from dismai.geometry.voronoi import Tessellation, tessellate
from dismai.metrics.crystalnn.fingerprint import PRESETS, Preset, feature_names, fingerprints, sites
from dismai.metrics.crystalnn.neighbors import coordination_likelihoods, neighbor_list, neighbors
from dismai.metrics.crystalnn.weights import CATION_ANION, DEFAULT, GEOMETRIC, Settings

__all__ = [
    "CATION_ANION",
    "DEFAULT",
    "GEOMETRIC",
    "PRESETS",
    "Preset",
    "Settings",
    "Tessellation",
    "coordination_likelihoods",
    "feature_names",
    "fingerprints",
    "neighbor_list",
    "neighbors",
    "sites",
    "tessellate",
]
