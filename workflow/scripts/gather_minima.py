"""Join the minima of all shards: Table 5, its figure."""

from pathlib import Path

from dismai.dft.settings import PotentialStudy
from dismai.evaluation.study_potential import MINIMA_SCHEMA, table_5
from dismai.files.structures import gather_tables, write_csv, write_table
from dismai.pipeline.jobs import job, provenance
from dismai.report.figures import save_figure
from dismai.report.potential import plot_minima

output = snakemake.output

with job(snakemake):
    study = PotentialStudy(**snakemake.params.study)
    minima = gather_tables(snakemake.input.minima, "structure")
    write_table(minima, Path(output.minima), MINIMA_SCHEMA, provenance(snakemake))
    table = table_5(minima, study.low_energy_eV_per_atom, Path(snakemake.input.published))
    write_csv(table, Path(output.table), digits=6)
    save_figure(plot_minima(table), output.figure)
