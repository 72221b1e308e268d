"""The entry of the Fe-Ni-Cr alloys (Table 3)."""

from dismai.base.kinds import Kind
from dismai.base.metric import PERCENT, Metric

KIND = Kind(
    name="alloy",
    label="an alloy",
    datasets=(
        "alloy_300K_narrow",
        "alloy_300K_wide",
        "alloy_1500K_narrow",
        "alloy_1500K_wide",
    ),
    composition={"Cr": 51, "Fe": 154, "Ni": 51},
    section="dismai.datasets.alloy.settings:AlloyDataset",
    functions="dismai.datasets.alloy.describe",
    extras="dismai.datasets.alloy.extras",
    headline="d_cluster",
    table="alloys",
    table_metrics=(
        *("d_cluster", "percent_distinct", "percent_structures_with_vacancies", "percent_failed"),
    ),
    baselines=("held_out", "random_decoration", "gaussian_displacement"),
    unrelaxed="alloys are laid on their lattice and not relaxed, as published",
    on_fcc=True,
    figures=("sro", "energy", "structures", "training"),
    drawings="dismai.report.drawings:ALLOY",
    rules="rules/alloy.smk",
    energies=("formation_energy_eV_per_atom", -5.0, 15.0, 0.5),
    answers={
        "d_cluster": {"swapped": 1, "vacant": 1, "mixed": 1},
        "energy_above_training": {"swapped": 1, "mixed": 1},
        "percent_distinct": {"copied": -1},
        "percent_structures_with_vacancies": {"vacant": 1},
        "mean_vacancies_per_structure": {"vacant": 1},
        "mmd": {"swapped": 1, "vacant": 1, "mixed": 1, "copied": 1},
    },
    metrics=(
        Metric(
            "d_cluster",
            "distance of cluster probabilities",
            "1",
            0,
            "short-range order of the mean structure: species of pairs up to the seventh shell",
            "displacements below 0.2 Å and strain below 5 % (sites are ideal), memorised "
            "structures, spread of the set; at 1500 K a random decoration scores 0.026, better "
            "than every published model",
            heading="d_cluster",
            family="order",
        ),
        Metric(
            "percent_distinct",
            "distinct decorations",
            "%",
            100,
            "decorations that are drawn again and again, of structures without vacancy, up to "
            "translation, turn and mirror",
            "whether they are right or in the training set: where held-out structures repeat, as "
            "in cells of 32 atoms at 300 K, a model that remembers scores like one that learns",
            PERCENT,
            heading="distinct (%)",
            family="order",
        ),
        Metric(
            "percent_structures_with_vacancies",
            "structures with vacancies",
            "%",
            0,
            "sites left empty",
            "species; how many sites are empty",
            PERCENT,
            heading="with vacancies (%)",
            family="vacancies",
        ),
        Metric(
            "mean_vacancies_per_structure",
            "vacancies per structure",
            "vacancies",
            0,
            "sites left empty",
            "species",
            family="vacancies",
        ),
    ),
)
