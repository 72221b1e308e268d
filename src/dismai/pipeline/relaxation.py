"""How a job of the workflow relaxes structures."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dismai.pipeline.jobs import device, state_folder
from dismai.potentials import check_entry, load, with_file_at
from dismai.potentials.relaxation_plan import RelaxationPlan
from dismai.potentials.settings import Potential, RelaxationSettings

if TYPE_CHECKING:
    from ase.calculators.calculator import Calculator

TOGETHER_ON_GPU = 32
"""Structures side by side, unless the profile says another number, the resource relax_batch."""


def relaxation_plan(snakemake: Any) -> RelaxationPlan | None:
    """How the structures of a job are relaxed; None where its dataset has no potential.

    Finished structures are kept beside those of the other shards, in `state/relax`.
    """
    if snakemake.params.potential is None:
        return None
    where = device(snakemake)
    return RelaxationPlan(
        _given(snakemake.params.potential, snakemake.input.potential),
        RelaxationSettings(**snakemake.params.relaxation),
        state_folder(snakemake) / "relax",
        where,
        snakemake.threads,
        snakemake.resources.get("relax_batch", 1 if where == "cpu" else TOGETHER_ON_GPU),
    )


def calculator(snakemake: Any) -> "Calculator":
    """The calculator of the potential that a job is given in its params and inputs."""
    entry = _given(snakemake.params.potential, snakemake.input.potential)
    return load(entry, device=device(snakemake))


def _given(entry: dict[str, Any], file: str | None) -> Potential:
    """The potential of an entry of the configuration, its file where the input of a job is."""
    return with_file_at(check_entry(entry), Path(file) if file else None)
