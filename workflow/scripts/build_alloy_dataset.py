"""Select, split and describe the structures of one alloy dataset."""

from pathlib import Path

from dismai.base.card import FccLattice, write_card
from dismai.datasets.alloy.build import build, load_snapshots
from dismai.datasets.options import Options
from dismai.evaluation.process import describe_reference
from dismai.files.structures import features_schema, write_structures, write_table
from dismai.geometry.cluster_expansion import read_cluster_expansion
from dismai.pipeline.jobs import job, origin, provenance

settings, sampling = snakemake.params.settings, snakemake.params.sampling
output = snakemake.output

with job(snakemake):
    expansion = read_cluster_expansion(Path(snakemake.input.ecis))
    lattice = FccLattice(a_A=expansion.a_A, supercell=tuple(sampling["supercell"]))
    train, val, spec = build(
        load_snapshots(Path(snakemake.input.snapshots)),
        snakemake.wildcards.dataset,
        settings["temperature_K"],
        settings["selection"],
        lattice,
        settings["n_structures"],
        sampling["burn_in_passes"],
        settings["sro_tolerance"],
        settings["validation_share"],
        snakemake.params.seed,
        origin(snakemake),
    )
    write_structures(train, output.train)
    write_structures(val, output.val)
    write_card(spec, output.card)
    for part, path in ((train, output.features), (val, output.held_out)):
        features = describe_reference(part, spec, Options(expansion=expansion), path)
        write_table(features, path, features_schema(features.columns), provenance(snakemake))
