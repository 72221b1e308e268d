"""The entry of the interface of Li3ScCl6 on LiCoO2 (Table 1)."""

from dismai.base.kinds import Kind
from dismai.base.metric import LOW, PERCENT, SIGNED, Metric

_FIRST_SHELL = {"rattled": 1, "swapped": 1, "mixed": 1}

KIND = Kind(
    name="interface",
    label="an interface",
    datasets=("interface",),
    composition={"Li": 72, "Co": 36, "Sc": 12, "Cl": 72, "O": 72},
    section="dismai.datasets.interface.settings:InterfaceDataset",
    functions="dismai.datasets.interface.describe",
    extras="dismai.datasets.interface.extras",
    headline="d_all",
    table="interface",
    table_metrics=(
        *("d_Li", "d_Co", "d_Sc", "d_all"),
        *("percent_failed", "relaxation_steps", "close_pairs"),
    ),
    baselines=(
        "held_out",
        "gaussian_displacement",
        "random_atoms",
        "random_interfaces",
        "random_interfaces_unrelaxed",
    ),
    baselines_with_rules=("random_interfaces", "random_interfaces_unrelaxed"),
    unrelaxed_baselines=("random_interfaces_unrelaxed",),
    paper_region={"Li": 9, "Sc": 3, "Cl": 18},
    potential="chgnet",
    paper_potential="m3gnet",
    paper_labels="vasp",
    figures=("gamma", "motifs", "ligands", "profile", "structures", "training"),
    drawings="dismai.report.drawings:INTERFACE",
    view="-90x",
    rules="rules/interface.smk",
    answers={
        **dict.fromkeys(("d_Li", "d_Co", "d_Sc", "d_all"), _FIRST_SHELL),
        "d_profile": {"swapped": 1, "mixed": 1},
        "density_shift": {"strained": -1},
        "mmd": {**_FIRST_SHELL, "copied": 1},
        "soap_mmd": _FIRST_SHELL,
        "close_pairs": {"vacant": 1},
    },
    metrics=(
        *(
            Metric(
                f"d_{symbol}",
                f"distance of the motifs of {element}",
                "1",
                0,
                f"first shell of {element}, mean over the cell",
                f"everything but {element}; memorised structures",
                heading=f"d_{symbol}",
                family="motifs",
            )
            for symbol, element in (("Li", "lithium"), ("Co", "cobalt"), ("Sc", "scandium"))
        ),
        Metric(
            "d_all",
            "distance of the motifs of all cations",
            "1",
            0,
            "first shell of the cations, mean over all of them",
            "opposite changes of different cations, which cancel; anions; memorised structures",
            heading="d_all",
            family="motifs",
        ),
        Metric(
            "d_profile",
            "distance of layer densities",
            "1/Å³",
            0,
            "which elements are at which height; also a shift of the whole cell",
            "order within a layer, memorised structures",
            family="density",
        ),
        Metric(
            "mean_gamma",
            "mean interface energy",
            "J/m²",
            LOW,
            "how stable relaxed interfaces are in the potential of the dataset",
            "structure; energies below those of the training set count as better",
            SIGNED,
            family="energy",
        ),
        Metric(
            "percent_low_gamma",
            "interfaces of low energy",
            "%",
            100,
            "relaxed interfaces at or below the zero of the interface energy",
            "how far above or below they are; structure",
            PERCENT,
            family="energy",
        ),
    ),
)
