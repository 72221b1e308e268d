"""`make demo`: one live run at a time; after a crash or a kill the same call goes on."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from filelock import FileLock, Timeout

from dismai.jobs import die_with_parent, end_with_parents
from dismai.report.text import aligned

RESULTS = Path("results")
CONFIG = ("--configfile", "config/demo.yaml", "--profile", "profiles/local")
REPORT = RESULTS / "demo" / "report.html"
RANKING = RESULTS / "demo" / "tables" / "ranking.md"


def snakemake(*arguments: str) -> int:
    """Run snakemake, which is killed if this process dies; its exit code."""

    def prepare_child() -> None:
        die_with_parent()
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    # Rules call programs by name: those beside this interpreter come first.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    command = [sys.executable, "-m", "snakemake", "all", *arguments, *CONFIG]
    return subprocess.run(
        command, env={**os.environ, "PATH": path}, preexec_fn=prepare_child
    ).returncode


def main() -> int:
    """Unlock what a killed run left, run everything, write the report; an exit code."""
    end_with_parents()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for snakemake, which ends its jobs
    RESULTS.mkdir(exist_ok=True)
    try:
        with FileLock(RESULTS / ".lock", timeout=0):
            return snakemake("--unlock", "--quiet", "all") or snakemake() or _report()
    except Timeout:
        print(f"make demo: another run is at work in {RESULTS}/", file=sys.stderr)
        return 3


def _report() -> int:
    code = snakemake("--quiet", "all", "--report", str(REPORT))
    if code == 0:
        print(f"\n{aligned(RANKING.read_text())}\n\nreport: {REPORT}")
    return code


if __name__ == "__main__":
    sys.exit(main())
