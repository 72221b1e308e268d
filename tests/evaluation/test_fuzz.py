"""Damaged input never ends in a traceback or a hang, and every structure is accounted for."""

import time
from io import StringIO

import ase.io
import numpy as np
import pytest

from dismai.base.errors import InputError
from dismai.datasets.options import Options
from dismai.evaluation.process import describe_reference, load_generated, process
from dismai.evaluation.score import score
from dismai.files.structures import read_frames
from tests.makers import MAKERS, card

N_CASES = 300
LIMIT_S = 10.0
WORDS = ("nan", "inf", "-inf", "1e300", "-1e12", "0", "", "x", "1e-320", "Xx", "9" * 40)


def to_text(structures):
    stream = StringIO()
    for atoms in structures:
        ase.io.write(stream, atoms, format="extxyz")
    return stream.getvalue()


def mutate_structure(atoms, rng):
    """One structure with one thing wrong, and what it is."""
    atoms = atoms.copy()
    what = rng.integers(12)
    i, j = rng.choice(len(atoms), 2, replace=False)
    if what == 0:
        atoms.positions[i, rng.integers(3)] = rng.choice([np.nan, np.inf, -np.inf, 1e300])
    elif what == 1:
        atoms.positions[i] = atoms.positions[j]
    elif what == 2:
        atoms.positions[:] = rng.random(3)
    elif what == 3:
        atoms.set_cell(np.zeros((3, 3)))
    elif what == 4:
        atoms.set_cell(atoms.cell.array * rng.choice([1e-3, 0.1, 0.5, 2.0, 50.0, 1e6]),
                       scale_atoms=bool(rng.integers(2)))  # fmt: skip
    elif what == 5:
        cell = atoms.cell.array.copy()
        cell[0] = cell[1] * (1.0 + rng.choice([0.0, 1e-9, 1e-3])) + [0, 0, 1e-6]
        atoms.set_cell(cell)
    elif what == 6:
        atoms.numbers[i] = rng.integers(1, 100)
    elif what == 7:
        del atoms[[i]]
    elif what == 8:
        atoms.set_cell(atoms.cell.array @ rng.normal(size=(3, 3)))
    elif what == 9:
        atoms.positions += rng.normal(size=atoms.positions.shape) * rng.choice([0.5, 5.0, 1e8])
    elif what == 10:
        atoms.set_cell(atoms.cell.array * np.array([[30.0], [1.0], [1.0]]), scale_atoms=True)
    else:
        atoms.positions[i] = atoms.positions[j] + rng.normal(size=3) * 10.0 ** -rng.integers(1, 12)
    return atoms


def mutate_text(text, rng):
    """Bytes of a file with damage to its text."""
    what = rng.integers(6)
    if what == 0:
        return text[: rng.integers(len(text))].encode()
    if what == 1:
        data = bytearray(text.encode())
        for _ in range(rng.integers(1, 20)):
            data[rng.integers(len(data))] = rng.integers(256)
        return bytes(data)
    if what == 2:
        words = text.split(" ")
        for _ in range(rng.integers(1, 4)):
            words[rng.integers(len(words))] = str(rng.choice(WORDS))
        return " ".join(words).encode()
    if what == 3:
        lines = text.splitlines()
        del lines[rng.integers(len(lines))]
        return "\n".join(lines).encode()
    if what == 4:
        return rng.integers(0, 256, rng.integers(0, 2000), dtype=np.uint8).tobytes()
    return rng.choice(
        [b"", b"\n\n\n", b"0\n\n", b"-3\n\n", b"99999999\nLattice\n", b"1\n\nSi 0 0 0\n"]
    )


def read_or_message(path):
    """The structures of a file by number, or the line that the user gets."""
    try:
        return load_generated(path, len(read_frames(path, range(0))))
    except InputError as error:
        return str(error)


@pytest.fixture(scope="module")
def references():
    sets = {}
    for kind, make in MAKERS.items():
        train = make(8)
        sets[kind] = (train, describe_reference(train, card(kind), Options(), "train"))
    return sets


@pytest.mark.parametrize("kind", list(MAKERS))
def test_damaged_files_never_raise_and_lose_nothing(kind, references, tmp_path):
    train, reference = references[kind]
    spec, options = card(kind), Options()
    path = tmp_path / "damaged.extxyz"
    for case in range(N_CASES // len(MAKERS)):
        rng = np.random.default_rng([case, len(kind)])
        spoiled = [mutate_structure(train[0], rng), train[1]]
        if case % 2:
            path.write_bytes(mutate_text(to_text(train[:2]), rng))
        else:
            path.write_text(to_text(spoiled))
        start = time.perf_counter()
        structures = read_or_message(path)
        if isinstance(structures, str):
            assert "\n" not in structures
            continue
        result = process(structures, spec, options)
        table = score(result.features, result.fates, reference, None, spec, "m", "file", 0)
        assert time.perf_counter() - start < LIMIT_S, case
        assert result.fates["structure"].tolist() == list(range(len(structures))), case
        rejected = result.fates["status"] == "rejected"
        assert (result.fates["reason"][rejected] != "").all(), case
        assert len(result.features) == (~rejected).sum() == table["n_accepted"].iloc[0], case
        if not case % 2:  # the structure beside the damaged one is not harmed
            assert not rejected[1], case
