"""A synthetic vasprun.xml: written by hand in the layout of VASP, with invented numbers.

It holds what the reader needs and nothing that VASP computed.
"""

import numpy as np


def vasprun(
    symbols=("Li", "Cl"), cell=((5.0, 0, 0), (0, 5.0, 0), (0, 0, 5.0)), steps=(), **settings
) -> str:
    """XML text; steps: dicts of positions (fractional), forces, stress (kbar), energy, scf."""
    calculations = "".join(calculation(cell, step) for step in steps)
    return (
        head(symbols, cell, steps[0]["positions"], **settings)
        + calculations
        + foot(cell, steps[-1]["positions"])
    )


def head(
    symbols, cell, positions, *, nelm=60, nsw=0, ediffg=-0.1, encut=450.0, ldau=True, isif=2,
    kpoints="Gamma", divisions=(1, 1, 1),
) -> str:  # fmt: skip
    """All that stands before the first ionic step."""
    atoms = "".join(
        f"<rc><c>{s} </c><c> {sorted(set(symbols), key=symbols.index).index(s) + 1}</c></rc>"
        for s in symbols
    )
    kinds = "".join(
        f"<rc><c> {symbols.count(s)}</c><c>{s} </c><c> 7.0</c><c> 1.0</c>"
        f"<c> PAW_PBE {s} 01Jan2000 </c></rc>"
        for s in dict.fromkeys(symbols)
    )
    flag = "T" if ldau else "F"
    mesh = " ".join(map(str, divisions))
    return f"""<?xml version="1.0" encoding="ISO-8859-1"?>
<modeling>
 <generator><i name="program" type="string">vasp </i><i name="version" type="string">0.0.0 </i>
 </generator>
 <incar><i name="ENCUT"> {encut}</i><i type="logical" name="LDAU"> {flag} </i>
  <i type="int" name="NSW"> {nsw}</i></incar>
 <kpoints><generation param="{kpoints}"><v type="int" name="divisions"> {mesh} </v></generation>
  <varray name="kpointlist"><v> 0.0 0.0 0.0 </v></varray>
  <varray name="weights"><v> 1.0 </v></varray></kpoints>
 <parameters>
  <i name="ENCUT"> {encut}</i><i type="int" name="NELM"> {nelm}</i>
  <i type="int" name="NSW"> {nsw}</i><i type="int" name="ISIF"> {isif}</i>
  <i type="int" name="IBRION"> 2</i><i name="EDIFFG"> {ediffg}</i>
  <i type="logical" name="LDAU"> {flag} </i><i type="int" name="ISPIN"> 1</i>
 </parameters>
 <atominfo><atoms> {len(symbols)} </atoms><types> {len(set(symbols))} </types>
  <array name="atoms"><dimension dim="1">ion</dimension><field type="string">element</field>
   <field type="int">atomtype</field><set>{atoms}</set></array>
  <array name="atomtypes"><dimension dim="1">type</dimension><field type="int">atomspertype</field>
   <field type="string">element</field><field>mass</field><field>valence</field>
   <field type="string">pseudopotential</field><set>{kinds}</set></array></atominfo>
 <structure name="initialpos">{_structure(cell, positions)}</structure>
"""


def foot(cell, positions) -> str:
    """All that stands behind the last ionic step."""
    return f' <structure name="finalpos">{_structure(cell, positions)}</structure>\n</modeling>\n'


def _rows(values) -> str:
    return "".join(
        "<v> " + " ".join(f"{x:.12f}" for x in row) + " </v>"
        for row in np.asarray(values, dtype=float)
    )


def _structure(cell, positions) -> str:
    reciprocal = np.linalg.inv(np.asarray(cell, dtype=float)).T
    return (
        f'<crystal><varray name="basis">{_rows(cell)}</varray>'
        f'<i name="volume"> {np.linalg.det(np.asarray(cell, dtype=float)):.6f}</i>'
        f'<varray name="rec_basis">{_rows(reciprocal)}</varray></crystal>'
        f'<varray name="positions">{_rows(positions)}</varray>'
    )


def calculation(cell, step) -> str:
    """One ionic step."""
    energy = (
        f'<energy><i name="e_fr_energy"> {step["energy"] - 0.02} </i>'
        f'<i name="e_wo_entrp"> {step["energy"] + 0.02} </i>'
        f'<i name="e_0_energy"> {step["energy"]} </i></energy>'
    )
    scf = f"<scstep>{energy}</scstep>" * step.get("scf", 9)
    return (
        f" <calculation>{scf}<structure>{_structure(cell, step['positions'])}</structure>"
        f'<varray name="forces">{_rows(step["forces"])}</varray>'
        f'<varray name="stress">{_rows(step["stress"])}</varray>{energy}</calculation>\n'
    )
