"""Motifs split by neighbours: shares of each cation, the figure of any number of sets."""

import numpy as np
import pandas as pd
import pytest

from dismai.datasets.interface.ligands import ligand_label, ligand_shares
from dismai.files.structures import write_structures
from dismai.metrics.crystalnn import fingerprints, sites
from dismai.metrics.interface import CATIONS
from dismai.metrics.motifs import motif_names, motif_shares
from dismai.pipeline.figure_inputs import described_structures
from dismai.report import figures
from dismai.report.curves import MOST_MOTIFS, plot_ligand_motifs
from tests.makers import slabs


@pytest.fixture(scope="module")
def shares():
    return ligand_shares(slabs(4))


def test_shares_of_a_cation_are_those_of_its_motifs_split(shares):
    atoms = slabs(1)[0]
    prints = fingerprints(atoms, "interface")
    symbols = np.array(atoms.get_chemical_symbols())[sites(atoms, "interface")]
    for cation in CATIONS:
        own = shares.iloc[0][cation]
        assert own.sum() == pytest.approx(100)
        whole = pd.Series(motif_shares(prints[symbols == cation]), index=motif_names())
        split = own.groupby(level=0).sum()
        pd.testing.assert_series_equal(
            split[split > 0], whole[whole > 0].sort_index(), check_names=False
        )


def test_neighbours_are_those_of_the_motif(shares):
    for _, motif, n_cl, n_o in shares.columns:
        number = int(motif.rpartition("_")[2])
        assert n_cl + n_o <= number
    assert ligand_label("octahedral CN_6", 4, 2) == "octahedral CN_6, 4 Cl 2 O"
    assert ligand_label("single CN_1", 0, 0) == "single CN_1, no neighbours"


def test_no_structures_have_no_shares():
    assert ligand_shares([]).shape == (0, 0)


@pytest.mark.parametrize("n", [0, 1, 20])
def test_the_figure_survives_any_number_of_sets(shares, n, tmp_path):
    sets = {f"model{i}": shares.iloc[: i % 3] for i in range(n)}
    figure = plot_ligand_motifs(shares, sets)
    figures.save_figure(figure, tmp_path / "figure.svg")
    panels = [axes for axes in figure.axes if axes.get_title()]
    assert [axes.get_title().split(":")[0] for axes in panels] == list(CATIONS)
    assert all(len(axes.get_yticks()) <= MOST_MOTIFS for axes in panels)
    assert figure.get_size_inches()[1] <= 6.3


def test_a_cation_without_a_common_motif_says_so(shares):
    figure = plot_ligand_motifs(shares[["Li"]], {})
    assert "none" in {text.get_text() for axes in figure.axes for text in axes.texts}


def test_relaxed_structures_are_taken_where_there_are_any(tmp_path):
    before, after = slabs(3), slabs(3, seed=9)
    paths = {}
    for seed in (0, 1):
        for name, structures in (("clean", before), ("relaxed", after if seed else [])):
            paths[name, seed] = tmp_path / f"{name}{seed}.extxyz"
            write_structures(structures, paths[name, seed])
    clean, relaxed = ([paths[name, seed] for seed in (0, 1)] for name in ("clean", "relaxed"))
    found = described_structures(["cdvae", "cdvae"], clean, relaxed, most=4)
    expected = [*before[:2], *after[:2]]
    assert len(found["cdvae"]) == 4
    for atoms, other in zip(found["cdvae"], expected, strict=True):
        np.testing.assert_allclose(atoms.positions, other.positions, atol=1e-6)
