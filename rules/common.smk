"""Helpers of the rules: the validated configuration, the table of runs, input functions."""


def validated(raw):
    """The configuration as a checked object; a wrong entry ends the workflow with one line.

    Snakemake would put three lines with places of its own around an exception.
    """
    try:
        return validate(raw)
    except InputError as error:
        print(f"dismai: {error}", file=sys.stderr)
        raise SystemExit(2) from None


def alternatives(names):
    """A wildcard constraint that matches the given names and, without any, nothing."""
    return "|".join(names) or "(?!)"


def located(path):
    """A file or folder of the configuration, or one that ships with the workflow.

    A relative path starts at the working directory; what is not there but beside the Snakefile
    is taken from there.
    """
    own, shipped = Path(path).absolute(), SOURCE / path
    return str(shipped if shipped.exists() and not own.exists() else own)


def runs_of(dataset):
    """Runs on one dataset; an unknown dataset is an error, not an empty list."""
    runs = [run for run in RUNS if run.dataset == dataset]
    if not runs:
        raise WorkflowError(f"no run in the configuration uses dataset {dataset!r}")
    return runs


def run_of(wildcards):
    """The row of the run table that the wildcards name."""
    for run in RUNS:
        if (run.dataset, run.model) == (wildcards.dataset, wildcards.model):
            return run
    raise WorkflowError(
        f"no run in the configuration has dataset {wildcards.dataset!r} "
        f"and model {wildcards.model!r}"
    )


def all_of(pattern, runs):
    """The paths of a pattern for all given runs."""
    return collect(pattern, zip, **run_columns(runs))


def run_columns(runs):
    """The run table as columns, for collect."""
    return {
        "dataset": [run.dataset for run in runs],
        "model": [run.model for run in runs],
        "seed": [run.seed for run in runs],
    }


def metrics_of_all(wildcards):
    """Metrics of every run."""
    return all_of("<results>/metrics/{dataset}/{model}/seed{seed}.parquet", RUNS)


def metrics_of_table(wildcards):
    """Metrics of every run on datasets of the kind of a table."""
    datasets = run_on(KIND_OF_TABLE[wildcards.table])
    runs = [run for run in RUNS if run.dataset in datasets]
    if not runs:
        raise WorkflowError(
            f"no run in the configuration belongs to table {wildcards.table!r}"
        )
    return all_of("<results>/metrics/{dataset}/{model}/seed{seed}.parquet", runs)


def cards_of_table(wildcards):
    """Cards of the datasets of a table."""
    datasets = run_on(KIND_OF_TABLE[wildcards.table])
    return collect("<results>/datasets/{dataset}/card.json", dataset=datasets)


def features_of(wildcards):
    """Features of every run on one dataset."""
    runs = runs_of(wildcards.dataset)
    return all_of(
        "<results>/generated/{dataset}/{model}/seed{seed}/features.parquet", runs
    )


def trained_on(dataset):
    """Runs of trained models on one dataset."""
    return [run for run in runs_of(dataset) if run.kind == "trained"]


def models_of_runs(wildcards):
    """Models of every run on a dataset, in the order of `features_of`."""
    return [run.model for run in runs_of(wildcards.dataset)]


def models_of_trained(wildcards):
    """Models of every training on a dataset, in the order of `histories_of`."""
    return [run.model for run in trained_on(wildcards.dataset)]


def kind_of(wildcards):
    """Whether a run is trained, made elsewhere or a baseline."""
    return run_of(wildcards).kind


def histories_of(wildcards):
    """Loss curves of every model trained on one dataset."""
    runs = trained_on(wildcards.dataset)
    return all_of("<results>/models/{dataset}/{model}/seed{seed}/history.csv", runs)


def pictured_on(dataset):
    """The first run of every model on a dataset; without models, of every baseline."""
    first = {}
    for run in runs_of(dataset):
        first.setdefault(run.model, run)
    runs = list(first.values())
    return [run for run in runs if run.kind != "baseline"] or runs


def pictured_of(wildcards):
    """The cleaned structures of the runs that are pictured."""
    return all_of(
        "<results>/generated/{dataset}/{model}/seed{seed}/clean.extxyz",
        pictured_on(wildcards.dataset),
    )


def models_of_pictured(wildcards):
    """Models of the pictured runs, in the order of `pictured_of`."""
    return [run.model for run in pictured_on(wildcards.dataset)]


def of_kind(kind):
    """Names of the configured datasets of one kind."""
    return [name for name, entry in CONFIG.datasets.items() if entry.kind == kind]


def run_on(kind):
    """Datasets of one kind that a run uses."""
    return [name for name in DATASETS if CONFIG.datasets[name].kind == kind]


def first_figures():
    """The first figure of every dataset whose kind has figures; its rule makes the others too."""
    return [
        f"<results>/figures/{dataset}/{kind.figures[0]}.svg"
        for name, kind in KINDS.items()
        if kind.figures
        for dataset in run_on(name)
    ]


def snapshots_of(wildcards):
    """Monte Carlo snapshots at the temperature of an alloy dataset."""
    temperature = CONFIG.datasets[wildcards.dataset].temperature_K
    return f"<results>/datasets/snapshots_{temperature:g}K.npz"


def bulk_cell(wildcards):
    """The large cell of silicon: made by the workflow, or a file; none for a ready-made set."""
    if wildcards.dataset in READY_SILICON:
        return []
    source = CONFIG.amorphous_si.source
    made = "<results>/datasets/amorphous_si_bulk.npz"
    return made if source == "melt_quench" else located(source)


def potential_name_of(dataset):
    """Name of the potential that a dataset relaxes in; None for one that is not relaxed."""
    return getattr(CONFIG.datasets[dataset], "potential", None)


def potential_of(wildcards):
    """The entry of the potential that a dataset and its generated structures relax in.

    None for alloys and for the baseline that shows interfaces before relaxation.
    """
    name = potential_name_of(wildcards.dataset)
    if name is None or wildcards.get("model", None) == "random_interfaces_unrelaxed":
        return None
    return config["potentials"][name]


def shards_of(wildcards):
    """Folders of the shards of a generated set: one, unless its structures are relaxed."""
    relaxed = potential_of(wildcards) is not None
    n_shards = min(config["shards"], n_generated_of(wildcards)) if relaxed else 1
    return collect(
        "<results>/generated/{dataset}/{model}/seed{seed}/shards/{scatteritem}",
        scatteritem=[f"{shard}-of-{n_shards}" for shard in range(1, n_shards + 1)],
        allow_missing=True,
    )


def crystals_of(wildcards):
    """Files of the two crystals of an interface: substrate, film."""
    return crystals(wildcards.dataset)


def crystals_of_training(wildcards):
    """Files of the two crystals of the interfaces that an M3GNet is for."""
    return crystals(CONFIG.potentials[wildcards.potential].train.dataset)


def crystals(dataset):
    """Files of the crystals of an interface dataset: substrate, film."""
    geometry = CONFIG.datasets[dataset].geometry
    return [located(geometry.substrate), located(geometry.film)]


def potential_file_of(wildcards):
    """The file or folder of that potential, given or fitted; nothing if it needs none."""
    name = potential_name_of(wildcards.dataset)
    return [] if name is None else potential_file(name)


def potential_file(name):
    """The file or folder of a potential, given or fitted; nothing if it needs none."""
    entry = CONFIG.potentials[name]
    if name in FITTED:
        return f"<results>/potentials/{name}/train{entry.fit.n_train[-1]}/gap.xml"
    if name in M3GNETS:
        return f"<results>/potentials/{name}/model.safetensors"
    given = getattr(entry, "file", None) or getattr(entry, "folder", None)
    return located(given) if given else []


def relaxation_of(wildcards):
    """How structures of a dataset are relaxed, its own way or that of the run; None: they are not."""
    if potential_name_of(wildcards.dataset) is None:
        return None
    own = config["datasets"][wildcards.dataset].get("relaxation", None)
    return own or config["relaxation"]


def versions_of_processing(wildcards):
    """Versions of the stages that a shard of a dataset goes through."""
    stages = (
        ["process", "relax"] if potential_name_of(wildcards.dataset) else ["process"]
    )
    return [VERSIONS[stage] for stage in stages]


def minutes_of_processing(wildcards, attempt):
    """Time for one shard: most of it is relaxation, where structures are relaxed."""
    return (60 if potential_name_of(wildcards.dataset) is None else 720) * attempt


def atoms_of(dataset):
    """Atoms of a structure; for interfaces, whose size follows from their geometry, the papers'."""
    if dataset in ALLOYS:
        return sum(CONFIG.alloy.composition.values())
    return getattr(CONFIG.datasets[dataset], "n_atoms", PAPER_ATOMS)


def minutes_of_training(wildcards, attempt):
    """Time for one training: a job that runs out of it saves, and goes on in the next attempt."""
    architecture = CONFIG.models[wildcards.model].architecture
    return training_minutes(architecture, atoms_of(wildcards.dataset)) * attempt


def minutes_of_generation(wildcards, attempt):
    """Time to draw the structures of one run."""
    architecture = CONFIG.models[wildcards.model].architecture
    return generation_minutes(architecture, atoms_of(wildcards.dataset)) * attempt


def relaxes_in_network(dataset):
    """Whether the potential of a dataset is a network; classical ones have no use for a GPU."""
    name = potential_name_of(dataset)
    return name is not None and CONFIG.potentials[name].kind in NETWORKS


def gpus_of_relaxation(wildcards):
    """GPUs for a shard of the relaxation of a dataset."""
    return int(relaxes_in_network(wildcards.dataset))


def files_of_labels(wildcards):
    """The file of the potential that labels the cells of a fit."""
    return potential_file(CONFIG.potentials[wildcards.potential].fit.labels)


def entry_of_labels(wildcards):
    """The entry of the potential that labels the cells of a fit."""
    return config["potentials"][CONFIG.potentials[wildcards.potential].fit.labels]


def labels_of(wildcards):
    """The labels that an M3GNet is trained on: a file of the user, or made here."""
    training = CONFIG.potentials[wildcards.potential].train
    if training.labels is not None:
        return located(training.labels)
    return f"<results>/labels/{training.dataset}/labels.extxyz"


def geometry_of(wildcards):
    """Geometry of the interfaces that an M3GNet is for."""
    return config["datasets"][CONFIG.potentials[wildcards.potential].train.dataset][
        "geometry"
    ]


def fits_of(wildcards):
    """Predictions of every fit of a potential, smallest training set first."""
    sizes = CONFIG.potentials[wildcards.potential].fit.n_train
    pattern = "<results>/potentials/{potential}/train{n_train}/parity.parquet"
    return collect(pattern, n_train=sizes, allow_missing=True)


def ecis_of(wildcards):
    """The cluster expansion of an alloy; nothing for other datasets."""
    return located(config["alloy"]["ecis"]) if wildcards.dataset in ALLOYS else []


def source_file_of(wildcards):
    """The local file of a ready-made dataset; nothing for a URL."""
    source = CONFIG.datasets[wildcards.dataset].source
    return [] if source.startswith(("http://", "https://")) else located(source)


def structures_file_of(wildcards):
    """The file of structures made elsewhere, of a `kind: file` model."""
    path = CONFIG.models[wildcards.model].path
    path = path.replace("{dataset}", wildcards.dataset)
    return located(path.replace("{seed}", wildcards.seed))


def hparams_of(wildcards):
    """Hyperparameters of a trained model on one dataset."""
    return CONFIG.models[wildcards.model].hparams(wildcards.dataset)


def n_generated_of(wildcards):
    """Number of structures that a run declares."""
    return n_generated(CONFIG, run_of(wildcards))


def size_of_run():
    """One line that says how much a run of the configuration is."""
    n_trained = sum(run.kind == "trained" for run in RUNS)
    return (
        f"Run {config['run']!r}: {n_trained} models are trained on {len(DATASETS)} datasets, "
        f"{len(RUNS)} sets of structures scored"
    )


def align_of(wildcards):
    """How generated alloys of a run are laid on the lattice."""
    run = run_of(wildcards)
    return "none" if run.kind == "baseline" else CONFIG.models[run.model].align


CONFIG = validated(config)
config.update(CONFIG.model_dump(mode="json"))
RUNS = run_table(CONFIG)
DATASETS = list(dict.fromkeys(run.dataset for run in RUNS))
TRAINED = [
    name for name, model in CONFIG.models.items() if isinstance(model, TrainedModel)
]
IMPORTED = [
    name for name, model in CONFIG.models.items() if isinstance(model, FileModel)
]
COMMANDED = [
    name for name, model in CONFIG.models.items() if isinstance(model, CommandModel)
]
KIND_OF_TABLE = {table: kind for kind, table in TABLE_OF_KIND.items()}
ALL_BASELINES = sorted({name for kind in KINDS.values() for name in kind.baselines})
ALL_MODELS = [*TRAINED, *IMPORTED, *COMMANDED, *ALL_BASELINES]
FITTED = [
    name for name, entry in CONFIG.potentials.items() if getattr(entry, "fit", None)
]
M3GNETS = [
    name for name, entry in CONFIG.potentials.items() if getattr(entry, "train", None)
]
ALLOYS = of_kind("alloy")
IN_NETWORKS = [name for name in DATASETS if relaxes_in_network(name)]
TABLES = [name for name, kind in KIND_OF_TABLE.items() if run_on(kind)]
READY_SILICON = [
    name for name in of_kind("amorphous_si") if CONFIG.datasets[name].source
]
READY_INTERFACES = [
    name for name in of_kind("interface") if CONFIG.datasets[name].source
]
RANDOM_INTERFACES = [
    name for name in of_kind("interface") if name not in READY_INTERFACES
]
INTERFACE_BASELINES = ["random_interfaces", "random_interfaces_unrelaxed"]
OWN_RULE = ["melt_quench", *INTERFACE_BASELINES]
SLICED_SILICON = [name for name in of_kind("amorphous_si") if name not in READY_SILICON]
