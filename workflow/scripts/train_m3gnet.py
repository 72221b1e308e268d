"""Train M3GNet on labels, or go on from its last checkpoint; predict all three sets."""

from pathlib import Path

from dismai.base.atomic import locked
from dismai.base.seeds import seed_for
from dismai.files.structures import write_table
from dismai.pipeline.jobs import device, job, provenance, state_folder
from dismai.potentials.labels import read_labels
from dismai.potentials.m3gnet.errors import ERRORS_SCHEMA, error_table
from dismai.potentials.m3gnet.network import save
from dismai.potentials.m3gnet.settings import M3gnet
from dismai.potentials.m3gnet.training import predictions, train
from dismai.potentials.predictions import PREDICTIONS_SCHEMA

target = Path(snakemake.output.model)

with job(snakemake, saves=True), locked(state_folder(snakemake)):
    labels = read_labels(Path(snakemake.input.labels))
    settings = M3gnet(**snakemake.params.settings)
    seed = seed_for(snakemake.params.seed, "train_m3gnet", snakemake.wildcards.potential)
    where = device(snakemake)
    potential, parts = train(labels, settings, target.parent, seed, where)
    save(target, potential, settings)
    tables = {
        name: predictions(
            potential, [labels[i] for i in getattr(parts, name)], settings, len(parts.train), where
        )
        for name in ("train", "val", "test")
    }
    meta = provenance(snakemake)
    errors = error_table(tables, Path(snakemake.input.published))
    write_table(errors, Path(snakemake.output.errors), ERRORS_SCHEMA, meta)
    write_table(tables["test"], Path(snakemake.output.predictions), PREDICTIONS_SCHEMA, meta)
