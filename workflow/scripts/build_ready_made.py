"""Describe a ready-made set, with the energies of its minima where it was relaxed: one dataset."""

from pathlib import Path

from dismai.base.kinds import KINDS
from dismai.datasets.importing import card_of, expected_of
from dismai.datasets.options import Options
from dismai.files.structures import gather_tables, read_structures
from dismai.geometry.cluster_expansion import read_cluster_expansion
from dismai.pipeline.jobs import job, origin
from dismai.pipeline.relaxed_set import write_dataset

params, files = snakemake.params, snakemake.input

with job(snakemake):
    settings = KINDS[params.settings["kind"]].settings(**params.settings)
    beside = {"crystals": files.crystals, "ecis": files.ecis}
    train, val, spec = card_of(
        read_structures(Path(files.structures)),
        gather_tables(files.minima) if files.minima else None,
        snakemake.wildcards.dataset,
        settings,
        expected_of(settings, params.shared, beside),
        origin(snakemake),
    )
    expansion = read_cluster_expansion(Path(files.ecis)) if files.ecis else None
    options = Options(expansion=expansion) if expansion else None
    write_dataset(snakemake, train, val, spec, options)
