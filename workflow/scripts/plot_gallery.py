"""Draw accepted crystals of a set beside training crystals."""

from pathlib import Path

from dismai.files.structures import read_structures
from dismai.pipeline.jobs import job
from dismai.pipeline.relaxed_set import read_shards
from dismai.report.crystals import plot_gallery
from dismai.report.figures import save_figure

with job(snakemake):
    generated = read_shards([snakemake.input.generated])
    training = read_structures(Path(snakemake.input.train))
    figure = plot_gallery(snakemake.wildcards.model, generated, training)
    save_figure(figure, snakemake.output.figure)
