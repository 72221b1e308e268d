"""The validated configuration, the table of runs, and what a run is."""


def validated(raw):
    """The configuration as a checked object; a wrong entry ends the workflow with one line.

    Snakemake would put three lines with places of its own around an exception.
    """
    try:
        return validate(raw)
    except InputError as error:
        print(f"dismai: {error}", file=sys.stderr)
        raise SystemExit(2) from None


def ways_to_run(wildcards):
    """Ends a call without a configuration and a target: the papers' sizes are never meant by it."""
    print(
        "dismai: expected --configfile or a target, found neither.\n"
        "  snakemake --configfile config/demo.yaml --profile profiles/local   ten minutes\n"
        "  snakemake --configfile config/mini.yaml --profile profiles/local   hours\n"
        "  snakemake all --profile profiles/slurm                 the papers' sizes, a cluster\n"
        "docs/run.md tells what each makes and costs.",
        file=sys.stderr,
    )
    raise SystemExit(2)


def alternatives(names):
    """A wildcard constraint that matches the given names and, without any, nothing."""
    return "|".join(names) or "(?!)"


def located(path):
    """A file or folder of the configuration, or one that ships with the workflow.

    A relative path starts at the working directory; what is not there but beside the Snakefile
    is taken from there. Beside a Snakefile on a server stands what the package ships.
    """
    own = Path(path).absolute()
    if own.exists():
        return str(own)
    if SOURCE is None:
        folder, _, name = str(path).partition("/")
        return str(resource(name)) if folder == "resources" else str(own)
    shipped = SOURCE / path
    return str(shipped if shipped.exists() else own)


def of_kind(kind):
    """Names of the configured datasets of one kind."""
    return [name for name, entry in CONFIG.datasets.items() if entry.kind == kind]


def made_here(kind):
    """Those of one kind whose structures the workflow makes."""
    return [name for name in of_kind(kind) if name not in READY_MADE]


def run_on(kind):
    """Datasets of one kind that a run uses."""
    return [name for name in DATASETS if CONFIG.datasets[name].kind == kind]


def runs_of(dataset):
    """Runs on one dataset; an unknown dataset is an error, not an empty list."""
    runs = [run for run in RUNS if run.dataset == dataset]
    if not runs:
        raise WorkflowError(f"no run in the configuration uses dataset {dataset!r}")
    return runs


def run_of(wildcards):
    """The row of the run table that the wildcards name."""
    for run in EVERY_RUN:
        if (run.dataset, run.model) == (wildcards.dataset, wildcards.model):
            return run
    raise WorkflowError(
        f"no run in the configuration has dataset {wildcards.dataset!r} "
        f"and model {wildcards.model!r}"
    )


def trained_on(dataset):
    """Runs of trained models on one dataset."""
    return [run for run in runs_of(dataset) if run.model in TRAINED]


def pictured_on(dataset):
    """The first run of every model on a dataset; without models, of every baseline."""
    first = {}
    for run in runs_of(dataset):
        first.setdefault(run.model, run)
    runs = list(first.values())
    return [run for run in runs if run.kind != "baseline"] or runs


def kind_of(wildcards):
    """Whether a run is trained, made elsewhere or a baseline."""
    return run_of(wildcards).kind


def n_generated_of(wildcards):
    """Number of structures that a run declares."""
    return n_generated(CONFIG, run_of(wildcards))


def hparams_of(wildcards):
    """Hyperparameters of a trained model on one dataset."""
    return CONFIG.models[wildcards.model].hparams(wildcards.dataset)


def sampling_of(wildcards):
    """Hyperparameters of sampling of a model on one dataset."""
    architecture = CONFIG.models[wildcards.model].architecture
    return sampling_params(architecture, hparams_of(wildcards))


def align_of(wildcards):
    """How generated alloys of a run are laid on the lattice."""
    run = run_of(wildcards)
    return "none" if run.kind == "baseline" else CONFIG.models[run.model].align


def atoms_of(dataset):
    """Atoms of a structure; where the entry of a dataset does not tell, the papers' number."""
    entry = CONFIG.datasets[dataset]
    if entry.kind == "alloy":
        return sum(CONFIG.alloy.composition.values())
    return getattr(entry, "n_atoms", PAPER_ATOMS)


def size_of_run():
    """One line that says how much a run of the configuration is."""
    n_trained = sum(run.model in TRAINED for run in RUNS)
    return (
        f"Run {config['run']!r}: {n_trained} models are trained on {len(DATASETS)} datasets, "
        f"{len(RUNS)} sets of structures scored"
    )


CHOSEN = bool(workflow.overwrite_configfiles) or (
    Path(workflow.main_snakefile).parent != SOURCE
)
"""Whether somebody chose a configuration: on the command line, or as a workflow of their own."""
CONFIG = validated(config)
config.update(CONFIG.model_dump(mode="json"))
RUNS = run_table(CONFIG)
STUDY_RUNS = study_runs(CONFIG)
EVERY_RUN = list(
    dict.fromkeys([*RUNS, *(run for runs in STUDY_RUNS.values() for run in runs)])
)
DATASETS = list(dict.fromkeys(run.dataset for run in RUNS))
EVERY_DATASET = list(dict.fromkeys(run.dataset for run in EVERY_RUN))
MODELS = [name for name in CONFIG.models if any(run.model == name for run in RUNS)]
TRAINED = [
    name
    for name, model in CONFIG.models.items()
    if isinstance(model, TrainedModel) and model.weights_of is None
]
RESAMPLED = [
    name for name, model in CONFIG.models.items() if getattr(model, "weights_of", None)
]
IMPORTED = [
    name for name, model in CONFIG.models.items() if isinstance(model, FileModel)
]
CLEANED = [name for name in IMPORTED if CONFIG.models[name].cleaned]
COMMANDED = [
    name for name, model in CONFIG.models.items() if isinstance(model, CommandModel)
]
PRETRAINED = [
    name for name, model in CONFIG.models.items() if isinstance(model, PretrainedModel)
]
KIND_OF_TABLE = {table: kind for kind, table in TABLE_OF_KIND.items()}
ALL_BASELINES = sorted({name for kind in KINDS.values() for name in kind.baselines})
WITH_RULES = {name for kind in KINDS.values() for name in kind.baselines_with_rules}
OF_MODELS = [*TRAINED, *RESAMPLED, *PRETRAINED, *IMPORTED, *COMMANDED]
ALL_MODELS = [*OF_MODELS, *ALL_BASELINES]
FITTED = [
    name for name, entry in CONFIG.potentials.items() if getattr(entry, "fit", None)
]
M3GNETS = [
    name for name, entry in CONFIG.potentials.items() if getattr(entry, "train", None)
]
TABLES = [name for name, kind in KIND_OF_TABLE.items() if run_on(kind)]
READY_MADE = [
    name for name, entry in CONFIG.datasets.items() if getattr(entry, "files", None)
]
