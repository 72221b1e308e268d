"""Input functions: what datasets are made from, by the wildcards of a rule."""


def snapshots_of(wildcards):
    """Monte Carlo snapshots at the temperature of an alloy dataset."""
    temperature = CONFIG.datasets[wildcards.dataset].temperature_K
    return f"<results>/datasets/snapshots_{temperature:g}K.npz"


def bulk_cell(wildcards):
    """The large cell of silicon: made by the workflow, or a file; none for a ready-made set."""
    if CONFIG.datasets[wildcards.dataset].source:
        return []
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


def source_file_of(wildcards):
    """The local file of a ready-made dataset; nothing for a URL."""
    source = CONFIG.datasets[wildcards.dataset].source
    return [] if source.startswith(("http://", "https://")) else located(source)


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


ECIS = (
    "<results>/cluster_expansion/eci.yaml"
    if CONFIG.alloy.fit
    else located(config["alloy"]["ecis"])
)
