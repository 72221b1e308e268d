"""Draw and describe the structures of one brass dataset."""

from brass.functions import card, draw
from dismai.base.card import write_card
from dismai.datasets.options import Options
from dismai.evaluation.process import describe_reference
from dismai.files.structures import features_schema, write_structures, write_table
from dismai.pipeline.jobs import job, provenance

output, settings = snakemake.output, snakemake.params.settings

with job(snakemake):
    structures = draw(settings["n_structures"], snakemake.params.seed)
    n_val = round(settings["validation_share"] * len(structures))
    train, val = structures[n_val:], structures[:n_val]
    spec = card(train, val, snakemake.wildcards.dataset)
    write_structures(train, output.train)
    write_structures(val, output.val)
    write_card(spec, output.card)
    for part, path in ((train, output.features), (val, output.held_out)):
        features = describe_reference(part, spec, Options(), path)
        write_table(features, path, features_schema(features.columns), provenance(snakemake))
