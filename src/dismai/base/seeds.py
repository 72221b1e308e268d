"""Random generators made from names, so that no result depends on time or order of execution."""

import hashlib

import numpy as np


def seed_sequence(root: int, *names: str | int) -> np.random.SeedSequence:
    """A seed sequence for one named purpose, e.g. `seed_sequence(root, "generate", dataset, i)`.

    Names are hashed, so that adding a purpose never shifts the stream of another one.
    """
    text = "/".join(f"{type(name).__name__}:{name}" for name in names)
    digest = hashlib.sha256(text.encode()).digest()
    words = [int.from_bytes(digest[i : i + 4], "little") for i in range(0, 32, 4)]
    return np.random.SeedSequence([root, *words])


def generator_for(root: int, *names: str | int) -> np.random.Generator:
    """A NumPy generator for one named purpose."""
    return np.random.Generator(np.random.PCG64(seed_sequence(root, *names)))


def seed_for(root: int, *names: str | int) -> int:
    """A 63-bit integer seed for one named purpose, for `torch.Generator.manual_seed` and others."""
    state = seed_sequence(root, *names).generate_state(2, np.uint32)
    return (int(state[0]) << 31) ^ int(state[1])
