"""Motifs of the cations of interfaces, split by their number of Cl and O neighbours (Fig. 9)."""

from collections import Counter
from collections.abc import Iterable

import numpy as np
import pandas as pd
from ase import Atoms

from dismai.base.errors import StructureError
from dismai.metrics.crystalnn import fingerprints, sites
from dismai.metrics.interface import CATIONS
from dismai.metrics.motifs import ligand_numbers, motif_names, motifs


def ligand_shares(structures: Iterable[Atoms]) -> pd.DataFrame:
    """Percentage of the atoms of a cation with each motif and each number of neighbours.

    One row a structure, (n_structures, n_found); columns (cation, motif, n_Cl, n_O), zero where a
    structure has none. Structures without a defined environment are left out.
    """
    names = motif_names()
    rows = []
    for atoms in structures:
        try:
            prints = fingerprints(atoms, "interface")
        except StructureError:
            continue
        symbols = np.array(atoms.get_chemical_symbols())[sites(atoms, "interface")]
        found = zip(symbols, motifs(prints), ligand_numbers(prints), strict=True)
        counts = Counter((str(s), names[m], int(cl), int(o)) for s, m, (cl, o) in found)
        total = Counter(symbols.tolist())
        rows.append({key: 100.0 * n / total[key[0]] for key, n in counts.items()})
    columns = sorted({key for row in rows for key in row}, key=_order)
    return pd.DataFrame(rows, columns=pd.MultiIndex.from_tuples(columns or [("", "", 0, 0)]))[
        columns
    ].fillna(0.0)


def _order(key: tuple[str, str, int, int]) -> tuple[int, str, int]:
    """Cations in their order, then motifs, those with more O first."""
    cation, motif, _, n_o = key
    return list(CATIONS).index(cation), motif, -n_o


def ligand_label(motif: str, n_cl: int, n_o: int) -> str:
    """A motif and its neighbours in words, such as `octahedral CN_6, 4 Cl 2 O`."""
    known = [f"{n} {symbol}" for symbol, n in (("Cl", n_cl), ("O", n_o)) if n]
    return f"{motif}, {' '.join(known) or 'no neighbours'}"
