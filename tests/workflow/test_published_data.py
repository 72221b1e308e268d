"""The recipe of docs/published_data.md, followed on archives of small structures."""

import re

import numpy as np
import pytest
import yaml

from dismai.base.atomic import sha256
from dismai.base.card import FccLattice, read_card
from dismai.base.kinds import KINDS, kind_name
from dismai.datasets.alloy.build import to_atoms
from dismai.datasets.interface.build import random_interfaces
from dismai.datasets.interface.settings import InterfaceGeometry
from dismai.files.structures import read_structures, read_table, write_structures
from tests.commands import snakemake
from tests.conftest import ROOT
from tests.makers import rattled_cells

RUN = "results/published_check"
PAGE = (ROOT / "docs" / "published_data.md").read_text()
N_TRAIN, N_VAL = 1200, 300
TINY = yaml.safe_load((ROOT / "tests" / "config" / "tiny_interface.yaml").read_text())
GEOMETRY = TINY["datasets"]["interface"]["geometry"]
COMPOSITION = {"Cr": 6, "Fe": 20, "Ni": 6}
SMALL = {
    "alloy": {"supercell": [2, 2, 2], "composition": COMPOSITION},
    "n_generated": 20,
    "datasets": {"amorphous_si": {"n_atoms": 8}, "interface": {"geometry": GEOMETRY}},
}
"""What makes the structures of the recipe small; nothing else is changed."""
MODEL = {"alloy_300K_narrow": "cdvae", "amorphous_si": "diffcsp", "interface": "unimat"}


def overlay(name):
    """A configuration of the page, as it stands there."""
    text = re.search(rf"^    # {name}\n((?:    .*\n)+)", PAGE, re.MULTILINE).group(1)
    return re.sub("^    ", "", text, flags=re.MULTILINE)


def alloys(n):
    rng, lattice = np.random.default_rng(0), FccLattice(supercell=(2, 2, 2))
    sites = np.repeat(np.arange(3), list(COMPOSITION.values()))
    return [to_atoms(rng.permutation(sites), lattice) for _ in range(n)]


def interfaces(n):
    first = random_interfaces(InterfaceGeometry(**GEOMETRY), 5, 1, "archive", "interface")
    structures = [first[i % len(first)].copy() for i in range(n)]
    for seed, atoms in enumerate(structures):
        atoms.rattle(0.02, seed=seed)
    return structures


MAKERS = {
    "alloy_300K_narrow": alloys,
    "amorphous_si": lambda n: rattled_cells(n, 0.05),
    "interface": interfaces,
}


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """A folder with the files that the page asks for, of one dataset a kind, and its overlays.

    The first 18 validation structures stand for those of a model, of which two have failed; an
    alloy of three lacks an atom.
    """
    folder = tmp_path_factory.mktemp("published")
    data = overlay("published_data.yaml")
    for name, make in MAKERS.items():
        structures = make(N_TRAIN + N_VAL)
        place = folder / "published" / "train_val_data" / name
        write_structures(structures[:N_TRAIN], place / "train.extxyz")
        write_structures(structures[N_TRAIN:], place / "val.extxyz")
        generated = [atoms.copy() for atoms in structures[N_TRAIN : N_TRAIN + 18]]
        for atoms in generated[::3] if "alloy" in name else []:
            del atoms[5]
        made = folder / "published" / "generated_data" / name / MODEL[name]
        write_structures(generated, made / "0.extxyz")
        for part in ("train", "val"):
            path = f"published/train_val_data/{name}/{part}.extxyz"
            data = re.sub(rf'({path}, sha256: )"0+"', rf'\1"{sha256(folder / path)}"', data)
    (folder / "published_data.yaml").write_text(data)
    (folder / "published_check.yaml").write_text(overlay("published_check.yaml"))
    (folder / "small.yaml").write_text(yaml.safe_dump(SMALL))
    return folder


def configs(folder):
    return [folder / f"{name}.yaml" for name in ("published_data", "published_check", "small")]


@pytest.fixture(scope="module")
def scored(archive):
    """Metrics of one generated file a kind, by dataset; as the command of the page makes them."""
    metrics = {
        name: f"{RUN}/metrics/{name}/{model}_published/seed0.parquet"
        for name, model in MODEL.items()
    }
    figures = [f"{RUN}/datasets/{name}/features.parquet" for name in MODEL]
    snakemake(*metrics.values(), *figures, directory=archive, configs=configs(archive))
    return {name: read_table(archive / path).set_index("metric") for name, path in metrics.items()}


def test_the_published_split_is_used(archive, scored):
    for name in MODEL:
        folder = archive / RUN / "datasets" / name
        spec = read_card(folder / "card.json")
        assert (spec.n_train, spec.n_val) == (N_TRAIN, N_VAL)
        assert spec.notes[0].endswith("its split is that of its files.")
        for part in ("train", "val"):
            ours = read_structures(folder / f"{part}.extxyz")
            theirs = read_structures(archive / f"published/train_val_data/{name}/{part}.extxyz")
            assert len(ours) == len(theirs)
            for a, b in zip(ours[::100], theirs[::100], strict=True):
                np.testing.assert_allclose(a.positions, b.positions, atol=1e-7)
        assert len(read_table(folder / "features.parquet")) == N_TRAIN


def test_generated_structures_are_scored_as_they_are(archive, scored):
    for name, table in scored.items():
        assert table.loc["percent_failed", "value"] == pytest.approx(10.0)  # 2 of 20 are missing
        assert "displacement_on_relaxation" not in table.index
        made = archive / RUN / "generated" / name / f"{MODEL[name]}_published" / "seed0"
        fates = read_table(made / "fates.parquet")
        assert set(fates.loc[fates["status"] == "rejected", "stage"]) == {"read"}
        ours = read_table(made / "features.parquet")
        ours = ours.drop(columns=["structure", *KINDS[kind_name(name)].counted])
        reference = archive / RUN / "datasets" / name
        given = read_table(reference / "features_val.parquet")[ours.columns][:18]
        whole = np.arange(18) % 3 > 0 if "alloy" in name else np.full(18, True)
        np.testing.assert_allclose(ours[whole], given[whole], atol=1e-9)
    vacant = scored["alloy_300K_narrow"].loc["percent_structures_with_vacancies", "value"]
    assert vacant == pytest.approx(100 * 6 / 18)


def test_a_missing_atom_fails_a_set_that_was_not_cleaned(archive, scored):
    plain = archive / "plain.yaml"
    plain.write_text(yaml.safe_dump({"models": {"cdvae_published": {"cleaned": False}}}))
    metrics = f"{RUN}/metrics/alloy_300K_narrow/cdvae_published/seed0.parquet"
    snakemake(metrics, "--force", directory=archive, configs=[*configs(archive), plain])
    table = read_table(archive / metrics).set_index("metric")
    assert table.loc["percent_failed", "value"] == pytest.approx(40.0)  # 2 missing, 6 short


def test_a_wrong_archive_ends_its_job_with_one_line(archive):
    wrong = archive / "wrong.yaml"
    entry = yaml.safe_load((archive / "published_data.yaml").read_text())["datasets"]
    source = entry["alloy_300K_narrow"]["source"]
    for changes, message in (
        ({"source": {**source, "val": {**source["val"], "sha256": "0" * 64}}},
         "published/train_val_data/alloy_300K_narrow/val.extxyz: expected SHA-256 000"),
        ({"validation_share": 0.1},
         "alloy_300K_narrow/train.extxyz: expected 1350 structures, found 1200"),
    ):  # fmt: skip
        wrong.write_text(yaml.safe_dump({"datasets": {"alloy_300K_narrow": changes}}))
        result = snakemake(
            "results/wrong/datasets/alloy_300K_narrow/card.json", "--config", "run=wrong",
            directory=archive, configs=[*configs(archive), wrong], check=False,
        )  # fmt: skip
        assert result.returncode != 0
        log = (archive / "results/wrong/logs/import_dataset/alloy_300K_narrow.log").read_text()
        (line,) = [line for line in log.splitlines() if line.startswith("ERROR")]
        assert message in line
        assert "Traceback" not in log
