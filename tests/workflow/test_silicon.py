"""The workflow of amorphous silicon: from molecular dynamics to table and figures."""

import zipfile

import pandas as pd
import pytest
import yaml

from dismai.base.atomic import sha256
from dismai.base.card import read_card
from dismai.files.structures import read_structures, read_table
from tests.commands import SILICON as CONFIGS
from tests.commands import planned, snakemake, tiny_run, with_datasets_of

DATASET = "results/tiny/datasets/amorphous_si"
BASELINES = ("held_out", "gaussian_displacement", "random_atoms", "melt_quench")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder with a finished tiny run of silicon."""
    directory = tmp_path_factory.mktemp("silicon")
    tiny_run("silicon", directory)
    return directory


def test_a_tiny_run_of_silicon_makes_dataset_table_and_figures(finished):
    train = read_structures(finished / DATASET / "train.extxyz")
    features = read_table(finished / DATASET / "features.parquet")
    spec = read_card(finished / DATASET / "card.json")
    assert len(train) == len(features) == spec.n_train == 4
    assert features["energy_eV_per_atom"].between(-3.2, -2.3).all()
    assert 0 < spec.statistics["leaked_percent_of_validation_atoms"] <= 100
    table = read_table(finished / "results/tiny/tables/amorphous_si.parquet")
    assert set(BASELINES) | {"cdvae", "diffcsp"} == set(table["model"])
    shown = (finished / "results/tiny/tables/amorphous_si.md").read_text()
    assert "d_motif, published" in shown
    for name in ("rdf", "factor", "rings", "motifs", "energy", "structures", "training"):
        path = finished / f"results/tiny/figures/amorphous_si/{name}.svg"
        assert path.read_text().rstrip().endswith("</svg>")


def test_generated_silicon_is_relaxed_and_its_energy_compared(finished):
    for model in BASELINES:
        folder = finished / f"results/tiny/generated/amorphous_si/{model}/seed0"
        fates = read_table(folder / "fates.parquet")
        accepted = int((fates["status"] == "accepted").sum())
        features = read_table(folder / "features.parquet")
        assert len(features) == accepted
        if accepted:
            assert len(read_structures(folder / "relaxed.extxyz")) == accepted
            assert {"relaxation_steps", "displacement_A"} <= set(features)
    path = finished / "results/tiny/metrics/amorphous_si/held_out/seed0.parquet"
    metrics = read_table(path).set_index("metric")["value"]
    assert abs(metrics["energy_above_training"]) < 500
    assert metrics["displacement_on_relaxation"] == pytest.approx(0, abs=1e-6)


def test_a_second_run_of_silicon_has_nothing_to_do(finished):
    result = snakemake("all", directory=finished, configs=CONFIGS)
    assert "Nothing to be done" in result.stdout + result.stderr


def ready_made(finished, tmp_path, **changes):
    """Configuration that takes the training set of a finished run from an archive."""
    archive = tmp_path / "set.zip"
    with zipfile.ZipFile(archive, "w") as content:
        content.write(finished / DATASET / "train.extxyz", "data/train.extxyz")
        content.writestr("data/readme.txt", "four cells")
    entry = {
        "n_structures": 4,
        "validation_share": 0.25,
        "source": str(archive),
        "sha256": sha256(archive),
        "member": "data/train.extxyz",
    }
    overlay = tmp_path / "ready.yaml"
    overlay.write_text(yaml.safe_dump({"datasets": {"amorphous_si": {**entry, **changes}}}))
    return (*CONFIGS, overlay)


def test_a_ready_made_set_takes_the_place_of_the_blocks(finished, tmp_path):
    configs = ready_made(finished, tmp_path)
    target = f"{DATASET}/card.json"
    jobs = planned(snakemake(target, "-n", directory=tmp_path, configs=configs).stdout)
    assert set(jobs) == {
        "import_dataset", "relax_ready_made", "build_ready_made", "total",
    }  # fmt: skip
    snakemake(target, directory=tmp_path, configs=configs)
    spec = read_card(tmp_path / target)
    assert (spec.n_train, spec.n_val) == (3, 1)
    assert "ready-made" in spec.notes[0]
    given = read_structures(finished / DATASET / "train.extxyz")
    for atoms in read_structures(tmp_path / DATASET / "train.extxyz"):
        assert abs(atoms.positions - given[atoms.info["number"]].positions).max() < 1e-7


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sha256": "0" * 64}, "set.zip: expected SHA-256 0000"),
        ({"member": "none.extxyz"}, "expected 'none.extxyz', found data/readme.txt, data/train"),
        ({"n_structures": 5, "validation_share": 0.2}, "expected 5 structures, found 4"),
    ],
)
def test_a_wrong_ready_made_set_stops_the_job_with_one_line(finished, tmp_path, changes, message):
    configs = ready_made(finished, tmp_path, **changes)
    snakemake(f"{DATASET}/card.json", directory=tmp_path, configs=configs, check=False)
    log = (tmp_path / "results/tiny/logs/import_dataset/amorphous_si.log").read_text()
    assert message in log.strip().splitlines()[-1]
    assert "Traceback" not in log


def test_a_wrong_large_cell_stops_the_job_with_one_line(tmp_path):
    overlay = tmp_path / "wrong.yaml"
    entry = {"source": "resources/asi_100k.npz", "sha256": "0" * 64}
    overlay.write_text(yaml.safe_dump({"amorphous_si": entry}))
    target = f"{DATASET}/blocks.extxyz"
    snakemake(target, directory=tmp_path, configs=(*CONFIGS, overlay), check=False)
    log = (tmp_path / "results/tiny/logs/slice_blocks/amorphous_si.log").read_text()
    assert "asi_100k.npz: expected SHA-256 0000" in log
    assert "Traceback" not in log


def test_energies_of_the_training_set_choose_the_langevin_steps(finished, tmp_path):
    with_datasets_of(finished, tmp_path)
    params = {
        **dict.fromkeys(("latent", "encoder_blocks", "blocks"), 1),
        **dict.fromkeys(("encoder_hidden", "encoder_triplet", "encoder_basis"), 4),
        **dict.fromkeys(("encoder_output", "head_hidden", "hidden", "triplet", "basis"), 4),
        **{"radial": 4, "neighbours": 6, "cutoff_A": 4.0, "levels": 3, "epochs": 1},
    }
    overlay = tmp_path / "match.yaml"
    match = {"amorphous_si": {"steps": [1, 2], "n_structures": 2}}
    models = {"cdvae": {"params": params, "match_langevin": match}}
    selection = [{"datasets": ["amorphous_si"], "models": ["cdvae"], "seeds": [0]}]
    overlay.write_text(yaml.safe_dump({"models": models, "runs": selection}))
    made = "results/tiny/generated/amorphous_si/cdvae/seed0/raw.extxyz"
    snakemake(made, directory=tmp_path, configs=(*CONFIGS, overlay))
    assert len(read_structures(tmp_path / made)) == 3
    table = tmp_path / "results/tiny/models/amorphous_si/cdvae/seed0/langevin_steps.csv"
    assert pd.read_csv(table)["langevin_steps"].tolist() == [1, 2]
    log = tmp_path / "results/tiny/logs/generate_structures/amorphous_si/cdvae/seed0.log"
    # Two epochs of a network of four units make no silicon.
    assert "no number of Langevin steps gave an accepted structure" in log.read_text()
