"""Take relaxed interfaces of low energy, split and describe them: one dataset."""

from pathlib import Path

from dismai.datasets.interface.dataset import build
from dismai.datasets.settings import InterfaceDataset
from dismai.datasets.silicon_set import with_energies
from dismai.datasets.spec import write_card
from dismai.evaluation.options import Options
from dismai.evaluation.process import describe_reference
from dismai.io import features_schema, gather_tables, read_structures, write_structures, write_table
from dismai.jobs import job, origin, provenance

output = snakemake.output

with job(snakemake):
    settings = InterfaceDataset(**snakemake.params.settings)
    shards = [Path(path) for path in snakemake.input.relaxed]
    relaxed = [
        atoms for shard in shards if shard.stat().st_size for atoms in read_structures(shard)
    ]
    ready_made = settings.source is not None
    train, val, spec = build(
        read_structures(Path(snakemake.input.structures)) if ready_made else relaxed,
        gather_tables(snakemake.input.tables),
        snakemake.wildcards.dataset,
        settings,
        snakemake.params.seed,
        origin(snakemake),
    )
    write_structures(train, Path(output.train))
    write_structures(val, Path(output.val))
    write_card(spec, Path(output.card))
    for part, path in ((train, output.features), (val, output.held_out)):
        features = describe_reference(part, spec, Options(), path, snakemake.threads)
        features = with_energies(features, part)
        write_table(features, Path(path), features_schema(features.columns), provenance(snakemake))
