"""The tables and figures of the study of CryinGAN."""

from pathlib import Path

import pandas as pd

from dismai.base.card import read_card
from dismai.base.text import read_yaml
from dismai.evaluation.process import load_generated
from dismai.evaluation.study_gan import (
    Training,
    energies_of,
    gan_statements,
    gan_table,
    numbers_of,
    variants_of,
)
from dismai.files.structures import read_table
from dismai.pipeline.jobs import job, provenance
from dismai.report.study import write_study
from dismai.report.study_gan import HEADINGS, draw_all

files, output = snakemake.input, snakemake.output

with job(snakemake):
    spec = read_card(Path(files.card))
    trainings = [
        Training(
            model,
            seed,
            read_yaml(Path(files.hparams[k]), "hyperparameters"),
            pd.read_csv(files.histories[k]),
            numbers_of(
                load_generated(Path(files.raw[k]), n_structures),
                read_table(files.fates[k]),
                read_table(files.metrics[k]),
            ),
            energies_of(read_table(files.features[k]), spec),
            n_structures,
        )
        for k, (model, seed, n_structures) in enumerate(snakemake.params.runs)
    ]
    variants = variants_of(trainings)
    table = gan_table(variants, pd.read_csv(files.published))
    write_study(table, gan_statements(variants), HEADINGS, output, provenance(snakemake))
    draw_all(variants, table, output)
