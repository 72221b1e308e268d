"""Time the structure descriptors against the libraries they replace, in one process and thread.

    python benchmarks/metrics.py [ratios] [end_to_end] [scaling] [compile] [evaluate]

Needs the optional dependencies `peers`. Times of ratios and scaling are processor time, the best of
several runs of ours, one run of the library; compile time is excluded and told by `compile` and
`evaluate`. No code here starts threads but `end_to_end`; set OMP_NUM_THREADS=1 to keep numpy to one
as well.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import ase.build
import ase.io
import numpy as np

from dismai.base.resources import resource as resource_file
from dismai.datasets.amorphous_si.blocks import slice_blocks
from dismai.datasets.amorphous_si.bulk import read_bulk
from dismai.metrics import angles, crystalnn
from dismai.metrics.descriptors import describe, describe_all
from dismai.metrics.motifs import motif_shares
from dismai.metrics.rdf import rdf

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.makers import OXIDATION_STATES, interface264, si256  # noqa: E402

RATTLE_A = 0.05


def silicon(n_cells: tuple[int, int, int], seed: int = 0) -> ase.Atoms:
    """Rattled diamond; (4, 4, 2) cells have 256 atoms."""
    atoms = ase.build.bulk("Si", a=5.43, cubic=True).repeat(n_cells)
    atoms.rattle(RATTLE_A, seed=seed)
    return atoms


def seconds(function, repeats: int) -> float:
    """Best processor time of several calls, s."""
    best = np.inf
    for _ in range(repeats):
        start = time.process_time()
        function()
        best = min(best, time.process_time() - start)
    return best


def compare(name: str, own, peer, target: float) -> None:
    """Print times, ratio and largest difference; the first call of ours, untimed, compiles."""
    result = own()
    own_s = seconds(own, 10)
    start = time.process_time()
    expected = peer()
    peer_s = time.process_time() - start
    difference = np.abs(np.sort(result, axis=0) - np.sort(expected, axis=0)).max()
    print(
        f"{name:34s} {1e3 * own_s:8.2f} ms {1e3 * peer_s:10.1f} ms  {peer_s / own_s:7.0f} x "
        f"(target {target:.0f} x)  largest difference {difference:.1e}"
    )


def ratios() -> None:
    """Ours against matminer, pymatgen and vasppy."""
    from matminer.featurizers.site import CrystalNNFingerprint
    from pymatgen.analysis.local_env import CrystalNN
    from pymatgen.io.ase import AseAtomsAdaptor
    from pymatgen.util.coord import get_angle
    from vasppy.rdf import RadialDistributionFunction

    def fingerprint_peer(structure, sites, **kwargs):
        featurizer = CrystalNNFingerprint.from_preset("ops", **kwargs)
        return np.array([featurizer.featurize(structure, int(i)) for i in sites])

    def angle_peer(structure):
        peer = CrystalNN(distance_cutoffs=None, x_diff_weight=0, porous_adjustment=False)
        out = []
        for i, site in enumerate(structure):
            vectors = [n["site"].coords - site.coords for n in peer.get_nn_info(structure, i)]
            for k, vector in enumerate(vectors):
                out += [get_angle(vector, other) for other in vectors[k + 1 :]]
        return np.array(out)

    def rdf_peer(supercell):
        return RadialDistributionFunction.from_species_strings([supercell], "Si").rdf

    si, interface = silicon((4, 4, 2)), interface264()
    structure = AseAtomsAdaptor.get_structure(si)
    cube = si256(1)  # 17.35 Å: the supercell is wide enough for a minimum image
    supercell = AseAtomsAdaptor.get_structure(cube.repeat(2))
    ions = AseAtomsAdaptor.get_structure(interface)
    ions.add_oxidation_state_by_element(OXIDATION_STATES)
    cations = crystalnn.sites(interface, "interface")
    print(f"{'':34s} {'ours':>11s} {'library':>13s}")
    compare(
        "fingerprint, 256 Si, matminer",
        lambda: crystalnn.fingerprints(si),
        lambda: fingerprint_peer(structure, range(256)),
        200,
    )
    compare(
        "fingerprint, 120 cations, matminer",
        lambda: crystalnn.fingerprints(interface, "interface")[:, :61],
        lambda: fingerprint_peer(ions, cations, cation_anion=True),
        200,
    )
    compare(
        "bond angles, 256 Si, pymatgen",
        lambda: angles.bond_angles(si),
        lambda: angle_peer(structure),
        100,
    )
    compare("RDF, 256 Si, vasppy", lambda: rdf(cube)[1], lambda: rdf_peer(supercell), 100)


def end_to_end(n_structures: int = 1000, n_threads: int = 2) -> None:
    """Motif, RDF and angles of 1000 structures of 256 atoms from one extended XYZ file."""
    describe(silicon((2, 2, 2)))  # compiles
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "structures.extxyz"
        ase.io.write(path, (silicon((4, 4, 2), seed) for seed in range(n_structures)))
        start = time.perf_counter()
        fingerprints, g, shares, motifs = [], [], [], []
        for found in describe_all(ase.io.iread(path, ":"), n_threads=n_threads):
            fingerprints.append(found.fingerprints.mean(axis=0))
            motifs.append(motif_shares(found.fingerprints))
            shares.append(angles.angle_shares(found.angles)[1])
            g.append(found.g)
        wall = time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(
        f"{n_structures} structures of 256 atoms, {n_threads} threads: {wall:.1f} s "
        f"(target 60 s), peak memory {memory:.2f} GiB (target 1.5 GB)"
    )


def scaling() -> None:
    """Time per structure against the number of atoms, with the linear fit."""
    sizes, times = [], []
    for n in (2, 3, 4, 5, 6, 7, 8):
        atoms = silicon((n, n, n))
        describe(atoms)
        sizes.append(len(atoms))
        times.append(seconds(lambda atoms=atoms: describe(atoms), 5))
        print(f"{len(atoms):6d} atoms {1e3 * times[-1]:9.2f} ms")
    sizes, times = np.array(sizes), np.array(times)
    slope, offset = np.polyfit(sizes, times, 1)
    residual = times - (slope * sizes + offset)
    r2 = 1 - residual.var() / times.var()
    power = np.polyfit(np.log(sizes), np.log(times), 1)[0]
    print(
        f"linear fit: {1e6 * slope:.1f} us per atom {1e3 * offset:+.2f} ms, R^2 = {r2:.5f}; "
        f"log-log slope {power:.3f}"
    )


def compile_time() -> None:
    """First call in a new process with an empty cache, and with a full one."""
    program = (
        "import time, ase.build; from dismai.metrics.descriptors import describe; "
        "atoms = ase.build.bulk('Si', cubic=True); start = time.perf_counter(); describe(atoms); "
        "print(f'{time.perf_counter() - start:.1f} s', flush=True)"
    )
    with tempfile.TemporaryDirectory() as folder:
        for state in ("empty", "full"):
            print(f"first call, cache {state}:", end=" ", flush=True)
            environment = os.environ | {"NUMBA_CACHE_DIR": folder}
            subprocess.run([sys.executable, "-c", program], env=environment, check=True)


def processor_seconds(command: list[str], cache: str) -> float:
    """Processor time, user and system, of a command and all that it starts, s."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = os.environ | {"NUMBA_CACHE_DIR": cache}
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def evaluate(n_structures: int = 1000) -> None:
    """Start-up, compilation and work of `dismai evaluate` of blocks of silicon, one process."""
    blocks = slice_blocks(read_bulk(resource_file("asi_100k.npz")), n_blocks=n_structures)
    program = "import dismai.evaluation.file; from dscribe.descriptors import SOAP"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "blocks.extxyz"
        ase.io.write(path, blocks)
        command = [sys.executable, "-m", "dismai.cli", "evaluate", str(path)]
        command += ["--dataset", "amorphous_si", "--jobs", "1"]
        cold = processor_seconds(command, folder)
        warm = min(processor_seconds(command, folder) for _ in range(2))
        start = min(processor_seconds([sys.executable, "-c", program], folder) for _ in range(2))
    print(
        f"evaluate, {n_structures} blocks of 256 Si: start-up {start:.1f} s, compilation "
        f"{cold - warm:.1f} s, work {warm - start:.1f} s; together {cold:.1f} s, compiled before "
        f"{warm:.1f} s (target 40 s)"
    )


PARTS = {
    "compile": compile_time,
    "ratios": ratios,
    "end_to_end": end_to_end,
    "scaling": scaling,
    "evaluate": evaluate,
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="all by default")
    warnings.simplefilter("ignore")
    for part in parser.parse_args().parts or PARTS:
        PARTS[part]()
