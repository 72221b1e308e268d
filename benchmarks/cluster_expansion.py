"""How well ECIs are recovered from energies that the shipped ones made, with noise and without.

Prints one row a fit and draws docs/figures/cluster_expansion.svg.
"""

from pathlib import Path

import numpy as np

from dismai.datasets.alloy.expansion_fit import (
    MEV_PER_EV,
    fit_expansion,
    order_energies,
    order_table,
)
from dismai.metrics.clusters import count_clusters, published_expansion
from dismai.report.expansion import plot_expansion_fit
from dismai.report.figures import save_figure

FIGURE = Path(__file__).parents[1] / "docs" / "figures" / "cluster_expansion.svg"
SUPERCELL, N_SITES = (3, 3, 3), 108


def main() -> None:
    """Alloys of 108 sites, all compositions at random."""
    true = order_energies(published_expansion())
    print("alloys  noise  chosen (meV)  held out (meV/atom)  LASSO off (%)  no penalty off (%)")
    for n_alloys, noise_meV in ((100, 0), (400, 0), (400, 1), (1600, 1), (400, 3)):
        rng = np.random.default_rng(1)
        rows = [rng.choice(3, size=N_SITES, p=rng.dirichlet(np.ones(3))) for _ in range(n_alloys)]
        counted = count_clusters(np.array(rows), SUPERCELL)
        energies = published_expansion().energy(counted)
        energies = energies + noise_meV / MEV_PER_EV * rng.standard_normal(n_alloys)
        fit = fit_expansion(counted, energies, 3.6)
        best = fit.validation.loc[fit.validation["error_meV_per_atom"].idxmin()]
        off = [
            100 * np.linalg.norm(order_energies(one) - true) / np.linalg.norm(true)
            for one in (fit.expansion, fit.least_squares)
        ]
        print(f"{n_alloys:6d} {noise_meV:6d} {best.iloc[0]:13.2g} {best.iloc[1]:20.3f}"
              f" {off[0]:14.1f} {off[1]:19.1f}")  # fmt: skip
        if (n_alloys, noise_meV) == (400, 1):
            table = order_table(fit)
            table["made_meV"] = MEV_PER_EV * true.ravel()
            save_figure(plot_expansion_fit(fit.validation, table, "made_meV"), FIGURE)


if __name__ == "__main__":
    main()
