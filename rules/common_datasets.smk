"""Input functions: what datasets are made from, by the wildcards of a rule."""


def snapshots_of(wildcards):
    """Monte Carlo snapshots at the temperature of an alloy dataset."""
    temperature = CONFIG.datasets[wildcards.dataset].temperature_K
    return f"<results>/datasets/snapshots_{temperature:g}K.npz"


def bulk_cell(wildcards):
    """The large cell of silicon: made by the workflow, or a file."""
    source = CONFIG.amorphous_si.source
    made = "<results>/datasets/amorphous_si_bulk.npz"
    return made if source == "melt_quench" else located(source)


def ecis_of(wildcards):
    """The cluster expansion of an alloy; nothing for other datasets."""
    is_alloy = CONFIG.datasets[wildcards.dataset].kind == "alloy"
    return ECIS if is_alloy else []


def labels_of_expansion(wildcards):
    """Alloys with energies that the ECIs are fitted to."""
    if CONFIG.alloy.fit is None:
        raise WorkflowError("alloy.fit: expected alloys with energies, found none")
    return located(CONFIG.alloy.fit.labels)


def local_sources_of(wildcards):
    """Files of a ready-made dataset, in the order of its parts; none for those at a URL."""
    paths = [file.path for file in CONFIG.datasets[wildcards.dataset].files.values()]
    return [located(path) for path in paths if not is_url(path)]


def minima_of(wildcards):
    """Tables of the relaxation of a ready-made dataset; nothing for one that is not relaxed."""
    if potential_name_of(wildcards.dataset) is None:
        return []
    return tables_of_relaxed_shards(wildcards)


def relaxed_shards_of(wildcards):
    """Structures of a dataset where the potential left them."""
    return shards_of_dataset(wildcards.dataset, "relaxed", "extxyz")


def tables_of_relaxed_shards(wildcards):
    """What became of them."""
    return shards_of_dataset(wildcards.dataset, "relaxed", "parquet")


def continued_of(wildcards):
    """Structures of a dataset where the engine left them."""
    return shards_of_dataset(wildcards.dataset, "engine", "extxyz")


def tables_of_continued(wildcards):
    """What became of them."""
    return shards_of_dataset(wildcards.dataset, "engine", "parquet")


def shards_of_dataset(dataset, stage, suffix):
    """Shards of a stage of a dataset: relaxed in its potential, or continued by the engine."""
    n_shards = config["shards"]
    if stage == "engine":
        entry = CONFIG.datasets[dataset]
        n_shards = entry.engine_stage.n_jobs(entry.n_random)
    return collect(
        "<results>/datasets/{dataset}/{stage}/{shard}-of-{n_shards}.{suffix}",
        dataset=dataset,
        stage=stage,
        shard=range(1, n_shards + 1),
        n_shards=n_shards,
        suffix=suffix,
    )


def dft_of_stage(wildcards):
    """Section `dft` with the force at which the engine stage of a dataset ends."""
    force = CONFIG.datasets[wildcards.dataset].engine_stage.fmax_eV_per_A
    return config["dft"] if force is None else {**config["dft"], "fmax_eV_per_A": force}


def relaxed_interfaces_of(wildcards):
    """Random interfaces at their minima: of the engine where there is such a stage."""
    if wildcards.dataset in CONTINUED:
        return ["<results>/datasets/{dataset}/tried.extxyz"]
    return relaxed_shards_of(wildcards)


def tables_of_relaxed_interfaces(wildcards):
    """What became of them."""
    if wildcards.dataset in CONTINUED:
        return ["<results>/datasets/{dataset}/tried.parquet"]
    return tables_of_relaxed_shards(wildcards)


def crystals_of_source(wildcards):
    """Files of the crystals of a ready-made dataset of interfaces; nothing for other datasets."""
    return (
        crystals(wildcards.dataset) if wildcards.dataset in of_kind("interface") else []
    )


def shared_by(wildcards):
    """The section that all datasets of the kind of a dataset share; None: there is none."""
    return config["alloy"] if wildcards.dataset in of_kind("alloy") else None


def crystals_of(wildcards):
    """Files of the two crystals of an interface: substrate, film."""
    return crystals(wildcards.dataset)


def crystals_of_training(wildcards):
    """Files of the two crystals of the interfaces that an M3GNet is for."""
    return crystals(CONFIG.potentials[wildcards.potential].train.dataset)


def crystals(dataset):
    """Files of the crystals of an interface dataset, given or relaxed here: substrate, film."""
    names = ["substrate", "film"]
    if CONFIG.datasets[dataset].relax_crystals:
        return [
            f"<results>/datasets/{dataset}/crystals/{name}.extxyz" for name in names
        ]
    return [located(getattr(CONFIG.datasets[dataset].geometry, name)) for name in names]


def given_crystal(wildcards):
    """File of one crystal of an interface dataset as it is given."""
    geometry = CONFIG.datasets[wildcards.dataset].geometry
    return located(getattr(geometry, wildcards.crystal))


def networks_of(wildcards):
    """Networks in place of published ones by input; nothing for other kinds than crystals."""
    if CONFIG.datasets[wildcards.dataset].kind != "crystals":
        return {}
    return {
        f"{NETWORK_OF}{name}": (
            f"<results>/properties/{name}.safetensors"
            if entry.train
            else located(entry.file)
        )
        for name, entry in CONFIG.properties.items()
    }


CONTINUED = [
    name
    for name, entry in CONFIG.datasets.items()
    if getattr(entry, "engine_stage", None)
]
ECIS = (
    "<results>/cluster_expansion/eci.yaml"
    if CONFIG.alloy.fit
    else located(config["alloy"]["ecis"])
)
