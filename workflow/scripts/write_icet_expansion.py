"""Write the cluster expansion in icet's own format."""

from pathlib import Path

from dismai.base.atomic import replacing
from dismai.datasets.alloy.icet_expansion import to_icet
from dismai.geometry.cluster_expansion import read_cluster_expansion
from dismai.pipeline.jobs import job

with job(snakemake):
    expansion = read_cluster_expansion(Path(snakemake.input.ecis))
    with replacing(snakemake.output.expansion) as temporary:
        to_icet(expansion).write(str(temporary))
