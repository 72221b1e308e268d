"""Datasets as jobs make them: read from shards of a relaxation, written with their features."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ase import Atoms

from dismai.base.card import Card, write_card
from dismai.base.columns import ENERGY
from dismai.datasets.amorphous_si.build import with_energies
from dismai.datasets.options import Options
from dismai.evaluation.process import describe_reference
from dismai.files.structures import features_schema, read_structures, write_structures, write_table
from dismai.pipeline.jobs import provenance


def read_shards(paths: Iterable[str]) -> list[Atoms]:
    """Structures of all shards, in order; a shard without structures is an empty file."""
    shards = [Path(path) for path in paths]
    return [atoms for shard in shards if shard.stat().st_size for atoms in read_structures(shard)]


def write_dataset(
    snakemake: Any,
    train: list[Atoms],
    val: list[Atoms],
    spec: Card,
    options: Options | None = None,
) -> None:
    """Write structures, card, and features to the outputs of a job, with energies if there are."""
    output = snakemake.output
    write_structures(train, Path(output.train))
    write_structures(val, Path(output.val))
    write_card(spec, Path(output.card))
    for part, path in ((train, output.features), (val, output.held_out)):
        features = describe_reference(part, spec, options or Options(), path, snakemake.threads)
        if ENERGY in part[0].info:
            features = with_energies(features, part)
        write_table(features, Path(path), features_schema(features.columns), provenance(snakemake))
