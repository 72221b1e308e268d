"""What rules ask for, and where the profile of clusters sends them."""

import re

import pytest
import yaml

from dismai.models.settings import TrainedModel
from dismai.pipeline.config import load
from dismai.pipeline.cost import COSTS, generation_minutes, training_minutes
from tests.conftest import ROOT

PROFILE = yaml.safe_load((ROOT / "profiles" / "slurm" / "config.yaml").read_text())
RULE = re.compile(r"^(?:rule|use rule \w+ as) (\w+)", re.MULTILINE)
SAVING = {
    *("train_model", "generate_structures", "process_structures", "process_in_network"),
    *("relax_training_blocks", "relax_interfaces", "label_interfaces", "train_m3gnet"),
    "relax_ready_made",
    *("compare_minima", "train_by_command", "generate_by_command"),
    *("relax_best", "relax_best_vasp"),
    *("label_interfaces_vasp", "compare_minima_vasp", "relax_crystal_vasp"),
    *("label_cells", "label_cells_vasp", "match_langevin_steps"),
    *("resample_structures", "generate_pretrained"),
    *("continue_interfaces", "continue_interfaces_vasp"),
    *("continue_generated", "continue_generated_vasp"),
}
"""Rules whose jobs listen to signals."""


def rules():
    """Text of every rule, by name."""
    found = {}
    for path in (ROOT / "rules").glob("*.smk"):
        parts = RULE.split(path.read_text())[1:]
        found |= dict(zip(parts[::2], parts[1::2], strict=True))
    return found


def test_the_profile_names_rules_that_exist():
    named = {*PROFILE["set-resources"], *PROFILE["set-threads"], *PROFILE["groups"]}
    assert named <= rules().keys()


def test_rules_that_ask_for_a_gpu_go_to_its_partition_and_no_others():
    asking = {name for name, text in rules().items() if re.search(r"^        gpu=", text, re.M)}
    sent = {
        name
        for name, resources in PROFILE["set-resources"].items()
        if resources.get("slurm_partition") == "gpu"
    }
    assert asking == sent
    assert not sent & PROFILE["groups"].keys()  # a group would ask for the GPUs of all its jobs


def test_labels_go_to_the_partition_of_dft_whatever_the_engine():
    for name in ("label_interfaces", "compare_minima", "continue_interfaces", "continue_generated"):
        for rule in (name, f"{name}_vasp"):
            assert PROFILE["set-resources"][rule]["slurm_partition"] == "vasp"


def test_vasp_gets_ranks_with_their_memory_and_engines_in_python_none():
    """An executor refuses `mpi` with fewer than two tasks."""
    ranked = {name for name, given in PROFILE["set-resources"].items() if "mpi" in given}
    assert ranked == {name for name in rules() if name.endswith("_vasp")}
    for name in ranked:
        given = PROFILE["set-resources"][name]
        assert given["mpi"] == "'srun'"
        assert given["tasks"] > 1
        assert "mem_mb_per_cpu" in given


def test_jobs_that_save_are_told_before_their_time_is_up_and_no_others():
    told = {n for n, r in PROFILE["set-resources"].items() if "--signal=TERM" in str(r)}
    assert told == SAVING
    scripts = {path.stem for path in (ROOT / "workflow" / "scripts").glob("*.py")
               if "saves=True" in path.read_text()}  # fmt: skip
    # Some rules share the script of another one.
    shared = {"process_in_network", "relax_interfaces", "relax_ready_made", "continue_generated"}
    shared |= {"resample_structures", "generate_pretrained"}
    assert scripts == {name for name in SAVING - shared if not name.endswith("_vasp")}


def test_every_rule_states_memory_and_time_and_none_its_retries():
    for name, text in rules().items():
        if "localrule: True" not in text:
            assert "mem_mb=" in text, name
            assert "runtime=" in text, name
        assert "retries:" not in text
    assert PROFILE["retries"] == 2
    assert PROFILE["slurm-requeue"] is True


@pytest.mark.parametrize(
    ("minutes", "architecture", "n_atoms", "expected"),
    [
        (training_minutes, "cdvae", 264, 400),  # 2 x 6e16 / 5e12 s
        (training_minutes, "cdvae", 132, 200),
        (training_minutes, "crystens", 264, 1440),  # 5067, a day at most
        (training_minutes, "crystens", 32, 74),
        (training_minutes, "melt", 264, 30),  # at least half an hour
        (training_minutes, "somebody_elses", 32, 1440),
        (generation_minutes, "cdvae", 264, 533),
        (generation_minutes, "cryingan", 264, 30),  # at least half an hour
    ],
)
def test_time_follows_model_and_size(minutes, architecture, n_atoms, expected):
    assert minutes(architecture, n_atoms) == expected


def test_every_model_of_the_configuration_has_its_cost():
    config = load(*(str(ROOT / "config" / f"{name}.yaml") for name in ("config", "crystals")))
    models = [model for model in config.models.values() if isinstance(model, TrainedModel)]
    assert {model.architecture for model in models} == COSTS.keys()
