"""The entry of crystals of any composition (the CrysTens paper)."""

from dismai.base.columns import PUBLISHED_STEPS
from dismai.base.kinds import Kind
from dismai.base.metric import PERCENT, SHARE, Metric
from dismai.properties.names import PROPERTIES

_COMPARED = {
    "a": "cell length a",
    "b": "cell length b",
    "c": "cell length c",
    "alpha": "cell angle alpha",
    "beta": "cell angle beta",
    "gamma": "cell angle gamma",
    "space_group": "space group found",
    "atomic_number": "atomic number of all atoms",
}
_SAID = (
    *(
        (f"variance_{name}", f"variance of the copies of {what}", unit, f"copies of {what}")
        for name, what, unit in (
            ("lattice_parameter", "a cell length", "Å^2"),
            ("lattice_angle", "a cell angle", "degree^2"),
            ("space_group_number", "the space group", "1"),
            ("fractional_coordinate", "a coordinate", "1"),
        )
    ),
    (
        "coordinate_disagreement_per_atom",
        "own coordinates against the final ones, per atom",
        "1",
        "own coordinate and guesses by others",
    ),
    (
        "pairwise_distance_matrix_difference_per_atom",
        "drawn distances against those of the coordinates, per atom",
        "1",
        "distances drawn and distances of the coordinates",
    ),
)
"""What a picture says of itself (Tables 1 and 2 of the paper)."""
_BY_NETWORK = "where the network is wrong"
_ONE = "how this depends on anything else; memorised crystals"

KIND = Kind(
    name="crystals",
    label="a crystal",
    datasets=("crystals",),
    composition={},
    card="dismai.base.card:CrystalSpec",
    section="dismai.datasets.crystals.settings:CrystalsDataset",
    functions="dismai.datasets.crystals.describe",
    extras="dismai.datasets.crystals.extras",
    figures=("lattice", "species", "properties", "structures", "training"),
    drawings="dismai.report.drawings:CRYSTALS",
    rules="rules/crystals.smk",
    headline="ks_mean",
    table="crystals",
    table_metrics=("ks_mean", "percent_with_symmetry", "percent_failed"),
    baselines=(
        *("held_out", "gaussian_displacement", "shuffled_lines"),
        *("published_reading", "auto_reading"),
    ),
    held_out_baselines=("held_out", "published_reading", "auto_reading"),
    unrelaxed="crystals are scored as they are generated, without relaxation",
    answers={
        **dict.fromkeys(("ks_a", "ks_b", "ks_c"), {"strained": 1, "copied": 1}),
        **dict.fromkeys(
            ("ks_alpha", "ks_beta", "ks_space_group_said", "space_group_agreement"), {}
        ),
        **dict.fromkeys(("ks_gamma", "ks_atomic_number"), {"copied": 1}),
        **{f"ks_{name}": {"copied": 1} for name in PROPERTIES},
        "ks_formation_energy": {},
        "ks_space_group": {"mixed": 1, "copied": 1},
        "ks_mean": {"strained": 1, "mixed": 1, "copied": 1},
        "percent_with_symmetry": {"rattled": -1},
        "mmd": {"rattled": 1, "strained": 1},
        "fidelity": {},  # blind to which element is on which site
    },
    metrics=(
        *(
            Metric(
                f"ks_{name}",
                f"largest difference of the distributions of the {what}",
                "1",
                0,
                f"any difference of the distributions of the {what} (Kolmogorov-Smirnov)",
                _ONE,
                SHARE,
                heading=f"K-S {name.replace('_', ' ')}",
                family="crystal",
            )
            for name, what in _COMPARED.items()
        ),
        Metric(
            "ks_mean",
            "mean of these eight differences",
            "1",
            0,
            "lattice, symmetry and elements of the whole set",
            "whether lattice, sites and elements belong together; memorised crystals",
            SHARE,
            heading="mean K-S",
            family="crystal",
        ),
        *(
            Metric(
                f"ks_{name}",
                f"largest difference of the distributions of the predicted {one.label}",
                "1",
                0,
                f"any difference of the distributions of the {one.label} that CGCNN predicts",
                _BY_NETWORK,
                SHARE,
                heading=f"K-S {one.label}",
                family="properties",
            )
            for name, one in PROPERTIES.items()
        ),
        Metric(
            "ks_space_group_said",
            "the same of the space group that the model says",
            "1",
            0,
            "space groups that the model draws beside its crystals",
            "whether the crystals have them",
            SHARE,
            heading="K-S space group said",
            family="crystal",
        ),
        Metric(
            "percent_with_symmetry",
            "crystals with a symmetry beyond translations",
            "%",
            100,
            "sites that are off by more than 0.1 Å from any symmetry",
            "whether the symmetry is the right one",
            PERCENT,
            heading="with symmetry (%)",
            family="crystal",
        ),
        Metric(
            "space_group_agreement",
            "crystals whose space group is the one said",
            "1",
            1,
            "sites that do not fit the space group that the model says",
            "models that say none",
            SHARE,
            family="crystal",
        ),
        Metric(
            "percent_unread",
            "pictures without a reading",
            "%",
            0,
            "pictures without an atom, or with a pixel that is no number: no mean of what pictures "
            "say of themselves holds them",
            "pictures that can be read and are wrong",
            PERCENT,
            self_reported=True,
            of_generated=True,
            heading="unread (%)",
            family="pictures",
        ),
        *(
            Metric(
                name,
                label,
                unit,
                0,
                f"{what} of a picture that differ",
                "whether they are right",
                self_reported=True,
                of_generated=True,
                family="pictures",
            )
            for name, label, unit, what in _SAID
        ),
        Metric(
            PUBLISHED_STEPS,
            "steps of training, of those of the published training",
            "%",
            100,
            "models that were trained for a shorter time than the published ones",
            "whether more steps would help; size of network and batch",
            self_reported=True,
            of_generated=True,
            heading="steps of the paper's (%)",
            family="pictures",
        ),
    ),
)
