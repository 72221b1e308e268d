"""`make demo`, `demo-all`, `chain`: one live run at a time; after a kill the same call goes on."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from filelock import FileLock, Timeout

from dismai.base.processes import die_with_parent, end_with_parents
from dismai.report.run_page import write_run_page
from dismai.report.text import align_columns

RESULTS = Path("results")
CONFIGURATIONS = {
    "demo": ("config/demo.yaml",),
    "demo-all": ("config/demo.yaml", "config/demo-all.yaml"),
    "chain": ("config/demo.yaml", "config/chain.yaml"),
}
"""Files of every run that can be asked for; its name is that of its folder of results."""


def snakemake(name: str, *arguments: str) -> int:
    """Run snakemake, which is killed if this process dies; its exit code.

    name: of the run, a key of CONFIGURATIONS.
    """

    def prepare_child() -> None:
        die_with_parent()
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    # Rules call programs by name: those beside this interpreter come first.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    settings = ("--configfile", *CONFIGURATIONS[name], "--profile", "profiles/local")
    command = [sys.executable, "-m", "snakemake", "all", *arguments, *settings]
    return subprocess.run(
        command, env={**os.environ, "PATH": path}, preexec_fn=prepare_child
    ).returncode


def main(*arguments: str) -> int:
    """Unlock what a killed run left, run everything, write the report; an exit code.

    arguments: the name of the run, `demo` if none is given.
    """
    name = arguments[0] if arguments else "demo"
    if len(arguments) > 1 or name not in CONFIGURATIONS:
        *others, last = CONFIGURATIONS
        known, found = f"{', '.join(others)} or {last}", " ".join(arguments)
        print(f"dismai.pipeline.demo: run: expected {known}, found {found!r}", file=sys.stderr)
        return 2
    end_with_parents()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for snakemake, which ends its jobs
    RESULTS.mkdir(exist_ok=True)
    try:
        with FileLock(RESULTS / ".lock", timeout=0):
            return snakemake(name, "--unlock", "--quiet", "all") or snakemake(name) or _report(name)
    except Timeout:
        print(f"make {name}: another run is at work in {RESULTS}/", file=sys.stderr)
        return 3


def _report(name: str) -> int:
    folder = RESULTS / name
    code = snakemake(name, "--quiet", "all", "--report", str(folder / "workflow.html"))
    if code == 0:
        report = write_run_page(folder)
        ranking = folder / "tables" / "ranking.md"
        print(f"\n{align_columns(ranking.read_text())}\n\nreport: {report}")
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
