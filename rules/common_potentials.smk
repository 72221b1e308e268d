"""Potentials: which one a dataset relaxes in, its file, its fit and its labels."""


def potential_name_of(dataset):
    """Name of the potential that a dataset relaxes in; None for one that is not relaxed."""
    return getattr(CONFIG.datasets[dataset], "potential", None)


def potential_of(wildcards):
    """The entry of the potential that a dataset and its generated structures relax in.

    None for alloys, for structures that were cleaned and relaxed elsewhere, and for the baselines
    that are scored as they are made.
    """
    name = potential_name_of(wildcards.dataset)
    kind = KINDS[CONFIG.datasets[wildcards.dataset].kind]
    as_given = [*kind.unrelaxed_baselines, *CLEANED]
    if name is None or wildcards.get("model", None) in as_given:
        return None
    return config["potentials"][name]


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


@cache
def digests_of_potential(name):
    """SHA-256 of the files that a potential of kind `ase` names; those of others are inputs."""
    entry = CONFIG.potentials.get(name)
    return digests(entry) if entry is not None and entry.kind == "ase" else []


def versions_of_relaxing(wildcards):
    """Versions of the relaxation of training structures, and of what their potential is made of."""
    own = digests_of_potential(potential_name_of(wildcards.dataset))
    return (VERSIONS["relax_blocks"], VERSIONS["relax"], *own)


def relaxation_settings_of(wildcards):
    """How structures of a dataset are relaxed, its own way or that of the run; None: they are not."""
    if potential_name_of(wildcards.dataset) is None:
        return None
    own = config["datasets"][wildcards.dataset].get("relaxation", None)
    return own or config["relaxation"]


def relaxes_in_network(dataset):
    """Whether the potential of a dataset is a network; classical ones have no use for a GPU."""
    name = potential_name_of(dataset)
    return name is not None and CONFIG.potentials[name].kind in NETWORKS


def potential_of_cells(wildcards):
    """Name of the potential that makes the cells of a fit, and labels them if no engine does."""
    labels = CONFIG.potentials[wildcards.potential].fit.labels
    return None if labels == ENGINE else labels


def file_of_cells(wildcards):
    """The file of that potential; Stillinger-Weber, which makes cells for an engine, has none."""
    name = potential_of_cells(wildcards)
    return [] if name is None else potential_file(name)


def entry_of_cells(wildcards):
    """The entry of that potential."""
    name = potential_of_cells(wildcards)
    return {"kind": "sw"} if name is None else config["potentials"][name]


def engine_of_cells(wildcards):
    """Section `dft` where its engine labels the cells of a fit; None where a potential does."""
    return config["dft"] if potential_of_cells(wildcards) is None else None


def engine_labels(name):
    """Whether a potential is an M3GNet that learns from labels of the engine of `dft`."""
    return name in M3GNETS and CONFIG.potentials[name].train.labels is None


def labelled_by(wildcards):
    """What labelled what the potential of a dataset learnt from; nothing for a potential that is given."""
    name = potential_name_of(wildcards.dataset)
    if name in M3GNETS:
        return CONFIG.dft.engine if engine_labels(name) else "a file"
    if name in FITTED:
        labels = CONFIG.potentials[name].fit.labels
        return CONFIG.dft.engine if labels == ENGINE else labels
    return ""


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
    pattern = "<results>/potentials/{potential}/train{n_train}/predictions.parquet"
    return collect(pattern, n_train=sizes, allow_missing=True)


ENGINE_IN_PYTHON = CONFIG.dft.engine != "vasp"  # its jobs have no use for ranks
IN_USE = {potential_name_of(name) for name in DATASETS}
MADE_HERE = [name for name in (*FITTED, *M3GNETS) if name in IN_USE]
COMPARED = [name for name in MADE_HERE if engine_labels(name)]
CELLS_BY_VASP = [
    name
    for name in FITTED
    if CONFIG.potentials[name].fit.labels == ENGINE and not ENGINE_IN_PYTHON
]
RELAXED = [name for name in CONFIG.datasets if potential_name_of(name) is not None]
RELAXED_READY_MADE = [name for name in RELAXED if name in READY_MADE]
IN_NETWORKS = [name for name in EVERY_DATASET if relaxes_in_network(name)]
