"""Potentials: which one a dataset relaxes in, its file, its fit and its labels."""


def potential_name_of(dataset):
    """Name of the potential that a dataset relaxes in; None for one that is not relaxed."""
    return getattr(CONFIG.datasets[dataset], "potential", None)


def potential_of(wildcards):
    """The entry of the potential that a dataset and its generated structures relax in.

    None for alloys and for the baselines that are scored as they are made.
    """
    name = potential_name_of(wildcards.dataset)
    kind = KINDS[CONFIG.datasets[wildcards.dataset].kind]
    if name is None or wildcards.get("model", None) in kind.unrelaxed_baselines:
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
    pattern = "<results>/potentials/{potential}/train{n_train}/predictions.parquet"
    return collect(pattern, n_train=sizes, allow_missing=True)


ENGINE_IN_PYTHON = CONFIG.dft.engine != "vasp"  # its jobs have no use for ranks
IN_NETWORKS = [name for name in DATASETS if relaxes_in_network(name)]
