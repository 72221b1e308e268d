"""Kill a run of the workflow again and again, let it finish, compare it with an undisturbed one.

    python tests/faults/kill_drill.py FOLDER --configfile config/demo.yaml --kills 50 --seed 1

FOLDER/killed gets a run, and so does FOLDER/undisturbed beside it, unless --undisturbed names a
finished one. Every kill is a SIGKILL at a random moment, of snakemake (three in ten) or of one of
its jobs; the next call follows at once. Every table under metrics/ and tables/ has to be equal to
the byte, and no job may outlive its snakemake. A drill that is ended itself goes on where it was.
Exit code 0: all this, and as many kills as asked for.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPTS = ".snakemake/scripts/"
SHARE_OF_SNAKEMAKE = 0.3
ORPHANS_END_WITHIN_S = 600
"""A job that was killed while it still loaded its libraries ends when it has."""


def command(folder: Path, configfiles: list[Path], cores: int, targets: list[str]) -> list[str]:
    """A snakemake call in a folder; without Snakemake's lock, which a killed run leaves behind."""
    return [
        *(sys.executable, "-m", "snakemake", *targets, "--nolock", "--cores", str(cores)),
        *("--retries", "3"),  # a job that was killed is started again at once
        *("--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)),
        *("--profile", str(ROOT / "profiles" / "local")),
        *("--configfile", *map(str, configfiles)),
    ]


def start(words: list[str], log: Path) -> subprocess.Popen:
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "a") as stream:
        return subprocess.Popen(
            words, stdout=stream, stderr=subprocess.STDOUT, start_new_session=True
        )


def processes() -> dict[int, tuple[int, str]]:
    """Parent and command line of every live process."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                status = (entry / "stat").read_text().rpartition(")")[2].split()
                words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if status[0] not in "ZX":
                found[int(entry.name)] = (int(status[1]), words)
    return found


def below(pid: int) -> dict[int, str]:
    """Command lines of all processes below one."""
    alive = processes()
    found: dict[int, str] = {}
    parents = {pid}
    while parents:
        parents = {child for child, (parent, _) in alive.items() if parent in parents}
        found |= {child: alive[child][1] for child in parents}
    return found


def rule_of(words: str) -> str:
    """Name of the script of a job: tmpabc.train_model.py is train_model."""
    return words.split(SCRIPTS)[1].split(" ")[0].split(".")[1]


def strike(run: subprocess.Popen, random_numbers: random.Random) -> tuple[str, dict[int, str]]:
    """Kill snakemake or one of its jobs.

    Returns:
        What was hit, empty if no job was at work; processes that have to end now.
    """
    family = below(run.pid)
    jobs = {pid: words for pid, words in family.items() if SCRIPTS in words}
    if not jobs:
        return "", {}
    if random_numbers.random() > SHARE_OF_SNAKEMAKE:
        victim = random_numbers.choice(sorted(jobs))
        os.kill(victim, signal.SIGKILL)
        return rule_of(jobs[victim]), {}
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    return "snakemake", jobs


def drill(words: list[str], folder: Path, kills: int, seed: int, mean_s: float) -> Counter:
    """Run to the end through a number of kills; how often what was hit."""
    log, kept = folder / "run.log", folder / "kills.txt"
    folder.mkdir(parents=True, exist_ok=True)
    kept.touch()
    hit = Counter(kept.read_text().split())
    random_numbers = random.Random(f"{seed} {hit.total()}")
    left: dict[int, str] = {}
    run = start(words, log)
    while run.poll() != 0:
        moment = time.monotonic() + random_numbers.uniform(0, 2 * mean_s)
        while run.poll() is None and time.monotonic() < moment:
            time.sleep(0.05)
        if run.poll() is None and hit.total() < kills:
            victim, orphans = strike(run, random_numbers)
            left |= orphans
            if victim:
                hit[victim] += 1
                with open(kept, "a") as stream:
                    stream.write(f"{victim}\n")
                print(f"kill {hit.total()}: {victim}", flush=True)
        if run.poll() not in (None, 0):
            if hit.total() == 0:
                raise SystemExit(f"kill_drill: expected a run that works, see {log}")
            run = start(words, log)
    deadline = time.monotonic() + ORPHANS_END_WITHIN_S
    while alive := {pid for pid in left if processes().get(pid, (0, ""))[1] == left[pid]}:
        if time.monotonic() > deadline:
            raise SystemExit(f"kill_drill: expected jobs to end with snakemake, found {alive}")
        time.sleep(0.2)
    return hit


def differences(one: Path, other: Path) -> tuple[int, list[str]]:
    """Number of tables of two runs, and the names of those that are not equal to the byte."""
    tables = [
        {
            path.relative_to(run): path.read_bytes()
            for folder in ("metrics", "tables")
            for path in (run / folder).rglob("*.parquet")
        }
        for run in (one, other)
    ]
    names = sorted(tables[0].keys() | tables[1].keys())
    return len(names), [str(n) for n in names if tables[0].get(n) != tables[1].get(n)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--configfile", type=Path, nargs="+", required=True)
    parser.add_argument("--targets", nargs="+", default=["all"], help="all, studies")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--mean-seconds", type=float, default=10.0, help="between two kills")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--undisturbed", type=Path, help="folder of a finished run, not made then")
    options = parser.parse_args()
    configfiles = [path.resolve() for path in options.configfile]
    killed = options.folder.resolve() / "killed"
    undisturbed = (options.undisturbed or options.folder / "undisturbed").resolve()
    log, beside = undisturbed / "run.log", None
    if options.undisturbed is None:
        beside = start(command(undisturbed, configfiles, options.cores, options.targets), log)
    words = command(killed, configfiles, options.cores, options.targets)
    hit = drill(words, killed, options.kills, options.seed, options.mean_seconds)
    print(f"{hit.total()} kills: " + ", ".join(f"{name} {n}" for name, n in hit.most_common()))
    if beside and beside.wait() != 0:
        print(f"kill_drill: expected an undisturbed run that ends well, see {log}")
        return 1
    (results,) = undisturbed.glob("results/*")
    own = killed / results.relative_to(undisturbed)
    n_tables, different = differences(results, own)
    print(f"{n_tables} tables, {len(different)} different {different[:5]}")
    return int(bool(different) or n_tables == 0 or hit.total() < options.kills)


if __name__ == "__main__":
    sys.exit(main())
