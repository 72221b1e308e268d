"""Figures of one alloy dataset: SRO, energies, structures, training curves."""

from pathlib import Path

import pandas as pd

from dismai.io import read_frames, read_structures, read_table
from dismai.jobs import job
from dismai.report.figures import (
    plot_energies,
    plot_sro,
    plot_structures,
    plot_training,
    save_figure,
)

params, output = snakemake.params, snakemake.output

with job(snakemake):
    reference = read_table(snakemake.input.reference)
    tables = [read_table(path) for path in snakemake.input.features]
    features = dict(zip(params.runs, tables, strict=True))
    histories = {
        name: pd.read_csv(path)
        for name, path in zip(params.trained, snakemake.input.histories, strict=True)
    }
    train = read_structures(Path(snakemake.input.train))[0]
    generated = read_frames(Path(snakemake.input.generated[0]), range(1))[0]
    save_figure(plot_sro(reference, features), output.sro)
    save_figure(plot_energies(reference, features, len(train), "alloy"), output.energy)
    save_figure(plot_structures({"training": train, params.runs[0]: generated}), output.structures)
    save_figure(plot_training(histories), output.training)
