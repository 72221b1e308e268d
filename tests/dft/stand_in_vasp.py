"""A stand-in for VASP: reads its inputs and relaxes atoms under an invented energy.

It reads INCAR, KPOINTS, POSCAR and POTCAR of the working folder and writes vasprun.xml, OUTCAR and
CONTCAR step by step, as VASP does: a kill leaves a vasprun.xml without its end, and a CONTCAR with
the positions of the next step. Ranks of one SLURM step wait for each other. Its answer depends on
the structure and on all tags but NSW. Environment:

STAND_IN_PACE_S: seconds that an ionic step takes.
STAND_IN_DIES: a file `stage step signal`: in a folder of this stage the program kills itself after
so many ionic steps of one call, or with signal 0 stops with a whole file, as a STOPCAR asks VASP
to; the file is removed, so that it happens once.
STAND_IN_CALLS: a file to which every call adds a line: folder, ranks, NSW.
"""

import hashlib
import os
import sys
import time
from pathlib import Path

import numpy as np

from tests.dft.synthetic_vasprun import calculation, foot, head

PERIOD_A = 3.0
DEEP_EV, SHALLOW_EV = 0.2, 0.05
VOLUME_A3 = {"Li": 8.0, "Co": 9.0, "O": 8.0, "Sc": 22.0, "Cl": 27.0}
"""Of atoms where an invented crystal is at rest."""
BULK_EV = 20.0
KBAR_PER_EV_A3 = 1602.1766208


def energy_and_gradient(fractional, cell, rest, free):
    """Invented energy (eV), its forces (eV/Å) and dE/dV (eV/Å³) of atoms in a cell.

    A spring on the volume, which is at rest at `rest` (Å³); and, unless the cell is free, a
    corrugation with a period near 3 Å and a slow one over the cell, which tells minima apart.
    """
    strain = np.linalg.det(cell) / rest - 1
    if free:
        return BULK_EV * strain**2, np.zeros_like(fractional), 2 * BULK_EV * strain / rest
    lengths = np.linalg.norm(cell, axis=1)
    waves = np.maximum(1, np.rint(lengths / PERIOD_A))  # of the corrugation along each vector
    fast, slow = 2 * np.pi * waves * fractional, 2 * np.pi * fractional
    energy = (DEEP_EV * (1 - np.cos(fast)) + SHALLOW_EV * (1 - np.cos(slow))).sum()
    slope = 2 * np.pi * (DEEP_EV * waves * np.sin(fast) + SHALLOW_EV * np.sin(slow))
    forces = -slope @ np.linalg.inv(cell).T
    return energy + BULK_EV * strain**2, forces, 2 * BULK_EV * strain / rest


def read_incar():
    """Tags as numbers, words, or True and False."""
    pairs = [line.split("=", 1) for line in Path("INCAR").read_text().splitlines() if "=" in line]
    return {key.strip(): _value(text.split()) for key, text in pairs}


def _value(words):
    known = {".TRUE.": True, "True": True, ".FALSE.": False, "False": False}
    values = []
    for word in words:
        try:
            values.append(known[word] if word in known else float(word))
        except ValueError:
            values.append(word)
    return values[0] if len(values) == 1 else values


def read_kpoints():
    """Scheme and divisions."""
    lines = Path("KPOINTS").read_text().splitlines()
    return {"G": "Gamma", "M": "Monkhorst-Pack"}[lines[2].strip()[0].upper()], tuple(
        int(word) for word in lines[3].split()
    )


def read_poscar():
    """Cell (Å), blocks of species with their numbers, fractional positions, which may move."""
    lines = Path("POSCAR").read_text().splitlines()
    cell = float(lines[1]) * np.array([line.split() for line in lines[2:5]], dtype=float)
    blocks = list(zip(lines[5].split(), map(int, lines[6].split()), strict=True))
    selective = lines[7].strip()[0] in "Ss"
    rows = [line.split() for line in lines[8 + selective :][: sum(n for _, n in blocks)]]
    moves = [[word == "T" for word in row[3:6]] if selective else [True] * 3 for row in rows]
    return cell, blocks, np.array([row[:3] for row in rows], dtype=float), np.array(moves)


def shift_of(incar, kpoints):
    """Energy (eV) that stands for all tags but the number of steps, and for the k-points."""
    tags = sorted((key, str(value)) for key, value in incar.items() if key != "NSW")
    return -int(hashlib.sha256(repr((tags, kpoints)).encode()).hexdigest()[:6], 16) * 1e-6


def main():
    rank, ranks = (int(os.environ.get(f"SLURM_{k}", d)) for k, d in (("PROCID", 0), ("NTASKS", 1)))
    job, step = os.environ.get("SLURM_JOB_ID", os.getpid()), os.environ.get("SLURM_STEP_ID", 0)
    here = f"stand-in.{job}-{step}"
    _meet(here, rank, ranks)
    if rank:  # the others would compute with the first; here they end with it
        while not Path(f"{here}.done").exists():
            time.sleep(0.05)
        return
    incar, kpoints, (cell, blocks, fractional, moves) = read_incar(), read_kpoints(), read_poscar()
    _check(blocks, kpoints)
    if "STAND_IN_CALLS" in os.environ:
        with open(os.environ["STAND_IN_CALLS"], "a") as calls:
            calls.write(f"{Path.cwd()} {ranks} {incar['NSW']:g}\n")
    try:
        _relax(cell, blocks, fractional, moves, incar, kpoints)
    finally:
        Path(f"{here}.done").touch()


def _meet(here, rank, ranks):
    """Wait for all ranks of the step, as MPI does when a program starts."""
    Path(f"{here}.{rank}").touch()
    deadline = time.monotonic() + 60
    while len(list(Path().glob(f"{here}.*"))) < ranks:
        if time.monotonic() > deadline:
            sys.exit("expected all ranks within a minute")
        time.sleep(0.05)


def _check(blocks, kpoints):
    text = Path("POTCAR").read_text()
    titles = [line.split()[3] for line in text.splitlines() if line.strip().startswith("TITEL")]
    if [title.split("_")[0] for title in titles] != [symbol for symbol, _ in blocks]:
        sys.exit(f"POTCAR holds {titles}, POSCAR {blocks}")
    if Path(sys.argv[0]).name == "vasp_gam" and kpoints[1] != (1, 1, 1):
        sys.exit("vasp_gam: expected the gamma point alone")


def _relax(cell, blocks, fractional, moves, incar, kpoints):
    symbols = [symbol for symbol, n in blocks for _ in range(n)]
    nsw, force, free = int(incar["NSW"]), -incar["EDIFFG"], incar["ISIF"] == 3
    rest = sum(n * VOLUME_A3[symbol] for symbol, n in blocks)
    said = {"nelm": int(incar["NELM"]), "nsw": nsw, "ediffg": -force, "ldau": incar["LDAU"]}
    said |= {"encut": incar["ENCUT"], "isif": int(incar["ISIF"])}
    said |= {"kpoints": kpoints[0], "divisions": kpoints[1]}
    shift, n_steps, relaxed = shift_of(incar, kpoints), 0, False
    with open("vasprun.xml", "w") as xml, open("OUTCAR", "w") as outcar:
        xml.write(head(symbols, cell, fractional, **said))
        while n_steps < max(1, nsw) and not relaxed:
            energy, forces, slope = energy_and_gradient(fractional, cell, rest, free)
            energy += shift
            step = {"positions": fractional, "forces": forces, "energy": energy}
            step["stress"] = -slope * KBAR_PER_EV_A3 * np.eye(3)
            xml.write(calculation(cell, step))
            n_steps += 1
            outcar.write(f" {n_steps} energy(sigma->0) = {energy:.8f}\n")
            forces = np.where(moves, forces, 0)
            largest = np.linalg.norm(forces, axis=1).max()
            relaxed = largest < force and (not free or abs(slope) < force / 100)
            if nsw and not relaxed:
                fractional, cell = _moved(fractional, cell, forces, rest if free else None)
            _write_contcar(cell, blocks, fractional)
            xml.flush()
            outcar.flush()
            time.sleep(float(os.environ.get("STAND_IN_PACE_S", 0)))
            if _ended(n_steps):
                break
        xml.write(foot(cell, fractional))
        outcar.write(" reached required accuracy\n" if relaxed else " stopped\n")


def _moved(fractional, cell, forces, rest):
    """Atoms one damped step downhill; a cell with a volume at rest shrinks or grows as a whole."""
    lengths = np.linalg.norm(cell, axis=1)
    curvature = DEEP_EV * (2 * np.pi * np.rint(lengths / PERIOD_A).clip(1) / lengths).max() ** 2
    moved = fractional + 0.15 * (forces / curvature) @ np.linalg.inv(cell)
    if rest is not None:
        cell = cell * (rest / np.linalg.det(cell)) ** 0.15
    return moved, cell


def _write_contcar(cell, blocks, fractional):
    rows = ["stand-in", "1.0", *(_row(vector) for vector in cell)]
    rows += [" ".join(symbol for symbol, _ in blocks), " ".join(str(n) for _, n in blocks)]
    rows += ["Direct", *(_row(place) for place in fractional)]
    Path("CONTCAR").write_text("\n".join(rows) + "\n")


def _row(values):
    return " ".join(f"{value:.16f}" for value in values)


def _ended(n_steps):
    """Whether the program was told to stop here; it does not return from a kill."""
    order = Path(os.environ.get("STAND_IN_DIES", "-"))
    if not order.is_file():
        return False
    stage, step, number = order.read_text().split()
    if n_steps != int(step) or not any(part.startswith(stage) for part in Path.cwd().parts):
        return False
    order.unlink()
    if int(number):
        with open("vasprun.xml", "a") as xml:
            xml.write(" <calculation><scstep><energy><i name='e_fr_en")  # cut off in a step
        os.kill(os.getpid(), int(number))
        time.sleep(60)
    return True
