"""Fixtures shared by all tests: golden numbers and the deterministic alloys they belong to."""

import json
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.emt import EMT
from hypothesis import Phase, settings

from tests.makers import crystal

ROOT = Path(__file__).parents[1]
GOLDEN = Path(__file__).parent / "golden"

settings.register_profile("dismai", deadline=None)
settings.load_profile("dismai")
FRESH = settings(
    max_examples=3, database=None, phases=[Phase.explicit, Phase.generate], print_blob=True
)
"""For comparisons with slow libraries; no shrinking: a seed has no simpler form."""


def pytest_collection_modifyitems(items) -> None:
    """The long files first: one that begins last leaves the other cores without work."""
    items.sort(key=lambda item: "workflow" not in item.path.parts)


@pytest.fixture(scope="session")
def vectors() -> dict:
    """Numbers of the reference implementations."""
    return json.loads((GOLDEN / "reference_vectors.json").read_text())


@pytest.fixture
def emt(monkeypatch) -> list:
    """EMT in place of every engine that is an ASE calculator; one entry for each that is made."""
    from dismai.dft import calculators

    made = []
    monkeypatch.setattr(
        calculators, "_calculator", lambda settings, workdir: made.append(1) or EMT()
    )
    return made


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def alloys() -> dict[str, Atoms]:
    """Structures A, B and C of the golden numbers."""
    key = 101 * np.arange(256) % 256
    a = crystal(np.where(key < 154, 1, np.where(key < 205, 2, 0)))
    b = crystal(np.repeat([1, 2, 0], [154, 51, 51]))
    c = a[[i for i in range(256) if i not in (10, 77, 200)]]
    return {"A": a, "B": b, "C": c}
