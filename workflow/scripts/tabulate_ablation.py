"""The tables and figures of the ablations on one dataset."""

from pathlib import Path

from dismai.base.card import read_card
from dismai.base.text import read_yaml
from dismai.evaluation.process import load_generated
from dismai.evaluation.study_ablation import (
    Training,
    ablation_statements,
    ablation_table,
    energies_above,
    numbers_of,
    told_of,
    variants_of,
)
from dismai.files.structures import read_table
from dismai.pipeline.jobs import job, provenance
from dismai.report.study import write_study
from dismai.report.study_ablation import HEADINGS, draw_all

files, output = snakemake.input, snakemake.output

with job(snakemake):
    spec, reference = read_card(Path(files.card)), read_table(Path(files.training))
    trainings, pictures = [], {}
    for k, (model, seed, n_structures, weights_of, sampling) in enumerate(snakemake.params.runs):
        raw = load_generated(Path(files.raw[k]), n_structures)
        told = read_yaml(Path(files.hparams[k]), "hyperparameters")
        metrics, unrelaxed = read_table(files.metrics[k]), read_table(files.unrelaxed[k])
        energies = energies_above(read_table(files.features[k]), reference, spec)
        trainings.append(
            Training(
                *(model, seed, told["architecture"], weights_of, {**told, **sampling}),
                *(numbers_of(raw, metrics, unrelaxed, spec), energies, n_structures),
            )
        )
        if not weights_of:
            pictures.setdefault(model, raw[0])
    variants = variants_of(trainings, spec)
    table = ablation_table(variants, spec, told_of(Path(files.published)))
    statements = ablation_statements(variants, spec)
    write_study(table, statements, HEADINGS, output, provenance(snakemake))
    training = energies_above(reference, reference, spec)
    draw_all(variants, table, pictures, training, spec, output)
