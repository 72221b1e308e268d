"""Dismai-Bench: from raw inputs to a report on generative models of disordered materials.

Configuration and targets stand here, the stages in rules/, the logic in src/dismai.
"""

import sys
from functools import cache
from os import PathLike
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

from dismai.base.kinds import KINDS
from dismai.pipeline.config import (
    TABLE_OF_KIND,
    n_generated,
    run_table,
    study_runs,
    validate,
)
from dismai.base.errors import InputError
from dismai.pipeline.cost import PAPER_ATOMS, generation_minutes, training_minutes
from dismai.base.resources import resource
from dismai.models import sampling_params
from dismai.models.pretrained import pretrained
from dismai.models.settings import (
    CommandModel,
    FileModel,
    PretrainedModel,
    TrainedModel,
)
from dismai.potentials.files import digests
from dismai.potentials.settings import ENGINE, NETWORKS
from dismai.properties.names import NETWORK_OF
from dismai.base.text import is_url
from dismai.base.versions import VERSIONS

HERE = workflow.current_basedir
SOURCE = Path(HERE) if isinstance(HERE, (str, PathLike)) else None
"""The folder of this file, also where another workflow takes it in as a module; None: a server."""

PAPERS = "config/config.yaml"


configfile: SOURCE / PAPERS if SOURCE else workflow.source_path(PAPERS)


include: "rules/common.smk"
include: "rules/common_datasets.smk"
include: "rules/common_paths.smk"
include: "rules/common_potentials.smk"
include: "rules/common_resources.smk"
include: "rules/common_studies.smk"


pathvars:
    results=f"results/{config['run']}",
    logs=f"results/{config['run']}/logs",
    benchmarks=f"results/{config['run']}/benchmarks",


scattergather:
    shard=config["shards"],
    label=config["labels"]["shards"],
    minima=CONFIG.study_potential.n_jobs,


wildcard_constraints:
    dataset="|".join(config["datasets"]),
    model=alternatives(ALL_MODELS),
    seed=r"\d+",
    temperature=r"\d+(\.\d+)?",
    potential=alternatives([*FITTED, *M3GNETS]),
    n_train=r"\d+",


report: "docs/report/workflow.rst"


if workflow.is_main_process:
    logger.info(size_of_run())


rule all:
    input:
        tables=collect("<results>/tables/{table}.parquet", table=TABLES),
        ranking="<results>/tables/ranking.parquet",
        datasets="<results>/figures/datasets.svg",
        figures=first_figures(),
        potentials=collect(
            "<results>/figures/potentials/{potential}/parity.svg", potential=MADE_HERE
        ),
        minima=collect(
            "<results>/tables/minima/{potential}/table5.csv", potential=COMPARED
        ),
        expansion="<results>/datasets/alloy_expansion.ce",
        config="<results>/config.yaml",
    localrule: True


# What is planned where neither a configuration nor a target is named.
rule which_run:
    default_target: not CHOSEN
    input:
        ways_to_run,
    localrule: True


include: "rules/dft.smk"
include: "rules/m3gnet.smk"
include: "rules/potential.smk"
include: "rules/model.smk"
include: "rules/resample.smk"
include: "rules/match.smk"
include: "rules/evaluate.smk"
include: "rules/engine_stage.smk"
include: "rules/reference.smk"
include: "rules/study_ablation.smk"
include: "rules/study_crystens.smk"
include: "rules/study_crystens_best.smk"
include: "rules/study_degradation.smk"
include: "rules/study_gan.smk"
include: "rules/study_interface.smk"
include: "rules/study_potential.smk"
include: "rules/report.smk"


for rules_of_kind in [kind.rules for kind in KINDS.values() if kind.rules]:

    include: rules_of_kind


include: "rules/ready_made.smk"
