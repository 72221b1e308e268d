"""Errors of all M3GNets of the configuration side by side."""

from pathlib import Path

from dismai.files.structures import read_table, write_csv
from dismai.pipeline.jobs import job
from dismai.potentials.m3gnet.errors import scan_table
from dismai.potentials.m3gnet.settings import M3gnet

with job(snakemake):
    trainings = snakemake.params.trainings
    tables = [read_table(Path(path)) for path in snakemake.input.errors]
    settings = {name: M3gnet(**training) for name, training in trainings.items()}
    table = scan_table(dict(zip(trainings, tables, strict=True)), settings)
    write_csv(table, Path(snakemake.output.table), digits=6)
