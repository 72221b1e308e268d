"""Take over a ready-made set: fetched, checked, atoms in blocks, its split kept."""

from pathlib import Path

from dismai.base.kinds import KINDS
from dismai.base.seeds import generator_for
from dismai.datasets.importing import expected_of, take_over
from dismai.files.structures import write_structures
from dismai.pipeline.jobs import job

params, files = snakemake.params, snakemake.input

with job(snakemake):
    settings = KINDS[params.settings["kind"]].settings(**params.settings)
    beside = {"crystals": files.crystals, "ecis": files.ecis}
    expected = expected_of(settings, params.shared, beside)
    rng = generator_for(params.seed, "split", snakemake.wildcards.dataset)
    structures = take_over(settings, expected, files.sources, rng)
    write_structures(structures, Path(snakemake.output.structures))
