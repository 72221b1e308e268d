"""Write the resolved configuration and the installed packages of this run."""

from pathlib import Path

from dismai.pipeline.jobs import job, write_config, write_environment

with job(snakemake):
    write_config(snakemake.params.config, Path(snakemake.output.config))
    write_environment(Path(snakemake.output.environment))
