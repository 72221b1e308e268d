"""Files are found wherever the workflow is run from, and are what the rules declare."""

import ast
import inspect
import re
import shutil
import subprocess
import sys
from functools import cache
from types import SimpleNamespace

import pytest
import yaml

from dismai.base.kinds import KINDS
from dismai.base.versions import VERSIONS
from dismai.pipeline import figure_inputs as inputs
from dismai.pipeline import relaxation, relaxed_set
from dismai.pipeline.config import load
from dismai.potentials.files import digests
from tests.commands import INTERFACE, SILICON, TINY, planned, snakemake
from tests.conftest import ROOT

CRYSTALS = ("LCO.cif", "LSC.cif")
READ_BY_THE_PACKAGE = {
    "relaxation_plan": relaxation.relaxation_plan,
    "calculator": relaxation.calculator,
    "write_dataset": relaxed_set.write_dataset,
    "figure_inputs": inputs.figure_inputs,
}
"""Functions that are given the whole object of a script, and read inputs from it."""
IF_DECLARED = {"plot_figures": {"clean", "relaxed"}}
"""Inputs that a script reads only where its rule has them: not all figures need structures."""
MODULE = """
configfile: "config.yaml"

module benchmark:
    snakefile: {snakefile}
    config: config

use rule * from benchmark
"""


def rules():
    """Names of the inputs and script of every rule with a script."""
    found = {}
    for path in (ROOT / "rules").glob("*.smk"):
        for text in re.split(r"^(?=rule )", path.read_text(), flags=re.MULTILINE)[1:]:
            name = re.match(r"rule (\w+):", text).group(1)
            block = re.search(r"^    input:\n((?:        .*\n|\n)+)", text, re.MULTILINE)
            names = re.findall(r"^        (\w+)=", block.group(1), re.MULTILINE) if block else []
            script = re.search(r'"\.\./workflow/scripts/(\w+)\.py"', text)
            if script:
                found[name] = (set(names), script.group(1))
    return found


def names_read(source):
    """Inputs that a piece of Python reads from `snakemake.input`, or from `files`, its name."""
    return {
        node.attr
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute)
        and ast.unparse(node.value) in ("snakemake.input", "files")
    }


@pytest.mark.parametrize("rule", rules())
def test_a_script_reads_what_its_rule_declares_and_nothing_else(rule):
    declared, script = rules()[rule]
    source = (ROOT / "workflow" / "scripts" / f"{script}.py").read_text()
    read = names_read(source)
    for name, function in READ_BY_THE_PACKAGE.items():
        if f"{name}(snakemake" in source:
            read |= names_read(inspect.getsource(function))
    assert read - (IF_DECLARED.get(script, set()) - declared) == declared
    opened = [
        ast.unparse(node)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("Path", "open", "resource")
    ]
    assert not [call for call in opened if re.search(r"\bparams\b", call) or "resource(" in call]


OURS = repr(str(ROOT / "Snakefile"))


def importer(folder, config, snakefile=OURS):
    """Another workflow in a folder of its own, which takes this one in as a module."""
    folder.mkdir()
    (folder / "Snakefile").write_text(MODULE.format(snakefile=snakefile))
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    return folder


def run_importer(folder, *arguments):
    result = subprocess.run(
        [sys.executable, "-m", "snakemake", *arguments, "--cores", "2"],
        cwd=folder, capture_output=True, text=True,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def configuration(*overlays):
    """The configuration of the papers with overlays, as one mapping."""
    from snakemake.common.configfile import load_configfile
    from snakemake.utils import update_config

    config = load_configfile(ROOT / "config" / "config.yaml")
    for overlay in overlays:
        update_config(config, load_configfile(overlay))
    return config


def test_another_workflow_takes_this_one_in_as_a_module_and_plans_all_of_it(tmp_path):
    folder = importer(tmp_path / "other", configuration())
    own = planned(snakemake("all", "-n", directory=tmp_path, configs=()).stdout)
    assert planned(run_importer(folder, "all", "-n")) == own


def test_a_module_runs_on_shipped_files(tmp_path):
    folder = importer(tmp_path / "other", configuration(TINY))
    target = "results/tiny/datasets/alloy_300K_wide/card.json"
    run_importer(folder, target)
    assert (folder / target).is_file()


def on_a_server(folder, monkeypatch):
    """What `snakedeploy` writes of a release of this workflow; git finds the server in a folder."""
    for name in ("rules", "workflow", "config", "envs", "docs/report"):
        shutil.copytree(ROOT / name, folder / "server" / name)
    shutil.copy(ROOT / "Snakefile", folder / "server")
    who = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org")
    for words in (("init", "-q"), ("add", "."), (*who, "commit", "-qm", "all"), ("tag", "v1.0.0")):
        subprocess.run(["git", *words], cwd=folder / "server", check=True)
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.file://{folder / 'server'}.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "https://github.com/somebody/dismai")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    return 'github("somebody/dismai", path="Snakefile", tag="v1.0.0")'


def test_a_release_on_a_server_runs_with_the_files_of_the_package(tmp_path, monkeypatch):
    snakefile = on_a_server(tmp_path, monkeypatch)
    folder = importer(tmp_path / "other", configuration(TINY), snakefile)
    target = "results/tiny/datasets/alloy_300K_wide/card.json"
    run_importer(folder, target)
    assert (folder / target).is_file()


STRUCTURES = "results/tiny/datasets/interface/unrelaxed.extxyz"
ALLOY = "results/tiny/datasets/alloy_300K_wide/card.json"


@pytest.fixture
def own(tmp_path):
    """A working directory with crystals, ECIs and structures of one's own, and a configuration."""
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "mine").mkdir(parents=True)
    for name in (*CRYSTALS, "eci.yaml"):
        (elsewhere / "mine" / name).write_bytes((ROOT / "resources" / name).read_bytes())
    (elsewhere / "set.extxyz").write_text("not read in a plan")
    config = tmp_path / "own.yaml"
    config.write_text(
        yaml.safe_dump(
            {
                "alloy": {"ecis": "mine/eci.yaml"},
                "datasets": {
                    "interface": {"geometry": {"substrate": "mine/LCO.cif", "film": "mine/LSC.cif"}}
                },
                "models": {"given": {"kind": "file", "path": "set.extxyz"}},
                "runs": [{"datasets": ["alloy_300K_wide"], "models": ["given"], "seeds": [0]}],
            }
        )
    )
    return {"directory": elsewhere, "configs": (*INTERFACE, config)}


def test_files_of_ones_own_are_found_in_the_working_directory(own):
    elsewhere = own["directory"]
    said = subprocess.run(
        [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
        + ["--directory", str(elsewhere), "all", STRUCTURES, "-n", "--cores", "1"]
        + ["--configfile", *map(str, own["configs"])],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for name in ("mine/LCO.cif", "mine/LSC.cif", "mine/eci.yaml", "set.extxyz"):
        assert str(elsewhere / name) in said
    snakemake(STRUCTURES, **own)
    assert (elsewhere / STRUCTURES).is_file()


def change(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_changed_crystal_or_cluster_expansion_remakes_what_depends_on_it_alone(own):
    elsewhere, targets = own["directory"], (STRUCTURES, ALLOY)
    snakemake(*targets, **own)
    first = (elsewhere / STRUCTURES).read_bytes()
    assert "Nothing to be done" in snakemake(*targets, "-n", **own).stdout
    change(elsewhere / "mine" / "LCO.cif", "_cell_length_c 14.133136", "_cell_length_c 14.2")
    again = planned(snakemake(*targets, "-n", **own).stdout)
    assert again == {"make_random_interfaces": 1, "total": 1}
    snakemake(*targets, **own)
    assert (elsewhere / STRUCTURES).read_bytes() != first
    change(elsewhere / "mine" / "eci.yaml", "check:", "# mine\ncheck:")
    again = planned(snakemake(*targets, "-n", **own).stdout)
    assert again == {"sample_alloy": 1, "build_alloy_dataset": 1, "total": 2}


def helpers_of_potentials(entry, folder):
    """The functions of the rules, where silicon relaxes in a potential of this entry."""
    config = {"potentials": {"mine": entry}, "datasets": {"amorphous_si": {"potential": "mine"}}}
    (folder / "mine.yaml").write_text(yaml.safe_dump(config))
    checked = load(ROOT / "config" / "config.yaml", *SILICON, folder / "mine.yaml")
    names = {"CONFIG": checked, "config": {}, "VERSIONS": VERSIONS, "cache": cache, "KINDS": KINDS}
    names |= {"digests": digests, "ENGINE": "dft", "NETWORKS": (), "FITTED": [], "M3GNETS": []}
    names |= {"DATASETS": [], "EVERY_DATASET": [], "READY_MADE": []}
    for part in ("common_potentials", "common_resources"):
        exec((ROOT / "rules" / f"{part}.smk").read_text(), names)
    return names


def test_jobs_that_relax_depend_on_the_files_of_their_calculator(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "weights.txt").write_text("0.1")
    calculator = {"kind": "ase", "calculator": "ase.calculators.lj:LennardJones"}
    mine = {**calculator, "params": {"file": "weights.txt"}}
    block = SimpleNamespace(dataset="amorphous_si")
    for name in ("versions_of_relaxing", "versions_of_processing"):
        before = helpers_of_potentials(mine, tmp_path)[name](block)
        assert helpers_of_potentials(mine, tmp_path)[name](block) == before
        (tmp_path / "weights.txt").write_text(name)
        after = helpers_of_potentials(mine, tmp_path)[name](block)
        assert after[:2] == before[:2]
        assert after != before
        assert helpers_of_potentials({"kind": "sw"}, tmp_path)[name](block) == before[:2]
