"""The rule that fits ECIs, and the alloys that are sampled from what it made."""

import ase.io
import numpy as np
import yaml
from ase.calculators.singlepoint import SinglePointCalculator

from dismai.base.resources import resource
from dismai.datasets.alloy.icet_expansion import decorated_crystal
from dismai.geometry.cluster_expansion import read_cluster_expansion
from dismai.metrics.clusters import count_clusters
from tests.commands import TINY, planned, snakemake

ECIS = "results/tiny/cluster_expansion/eci.yaml"


def test_alloys_are_sampled_from_ecis_that_the_workflow_fitted(tmp_path):
    rng = np.random.default_rng(1)
    rows = np.array([rng.choice(3, size=108, p=rng.dirichlet(np.ones(3))) for _ in range(60)])
    energies = read_cluster_expansion(resource("eci.yaml")).energy(count_clusters(rows, (3, 3, 3)))
    alloys = [decorated_crystal(row.astype(np.int8), 3.6, (3, 3, 3)) for row in rows]
    for atoms, energy in zip(alloys, energies, strict=True):
        atoms.calc = SinglePointCalculator(atoms, energy=108 * energy)
    ase.io.write(tmp_path / "alloys.extxyz", alloys, format="extxyz")
    overlay = tmp_path / "fit.yaml"
    overlay.write_text(yaml.safe_dump({"alloy": {"fit": {"labels": "alloys.extxyz"}}}))
    configs = (TINY, overlay)
    snakemake(ECIS, directory=tmp_path, configs=configs)
    made = read_cluster_expansion(tmp_path / ECIS)
    errors = made.energy(count_clusters(rows, (3, 3, 3))) - energies
    assert np.sqrt((errors**2).mean()) < 0.05 * energies.std()
    assert (tmp_path / "results/tiny/figures/cluster_expansion/fit.svg").stat().st_size > 1000
    jobs = planned(snakemake("all", "-n", directory=tmp_path, configs=configs).stdout)
    assert "fit_expansion" not in jobs  # done
    assert jobs["sample_alloy"] == 1
    alone = planned(snakemake("all", "-n", directory=tmp_path / "other", configs=(TINY,)).stdout)
    assert "fit_expansion" not in alone
