"""Which structures of a dataset are held out of training."""

import numpy as np


def split(n_structures: int, validation_share: float, rng: np.random.Generator) -> np.ndarray:
    """A random split: True for the structures of the validation set, (n_structures,)."""
    validation = np.zeros(n_structures, dtype=bool)
    n_validation = round(validation_share * n_structures)
    validation[rng.permutation(n_structures)[:n_validation]] = True
    return validation
