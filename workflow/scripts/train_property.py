"""Train a network of CGCNN on crystals with a known property."""

from pathlib import Path

import pandas as pd

from dismai.files.structures import read_structures, write_csv
from dismai.pipeline.jobs import job
from dismai.properties.cgcnn.train import train, values_of, write_network
from dismai.properties.settings import CgcnnTraining

settings = CgcnnTraining(**snakemake.params.training)
source = Path(snakemake.input.structures)

with job(snakemake):
    crystals = read_structures(source)
    values = values_of(crystals, settings.value, source)
    trained = train(crystals, values, settings, snakemake.params.seed, source)
    facts = {"target": snakemake.wildcards.property, "n_crystals": len(crystals)}
    write_network(trained, Path(snakemake.output.network), **facts)
    errors = pd.DataFrame(trained.errors, columns=["error", "validation_error"])
    errors.insert(0, "epoch", errors.index + 1)
    write_csv(errors, Path(snakemake.output.history), 9)
