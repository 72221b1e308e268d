"""Kills while tables are written, and full disks: the old file or the new one, and a clear line."""

import os
import random
import shutil
import subprocess
import sys
import textwrap
import time

import pandas as pd
import pytest

from dismai.files.structures import FATES_SCHEMA, read_table, write_structures, write_table
from tests.makers import permuted_alloys

TABLES = [
    pd.DataFrame(
        {
            "structure": range(n),
            "status": "accepted",
            "stage": "",
            "reason": str(n),
            "source_file": "",
        }
    ).astype({"structure": "int64"})
    for n in (1000, 2000)
]


def test_a_kill_while_tables_are_written_leaves_a_whole_one(tmp_path):
    path = tmp_path / "fates.parquet"
    write_table(TABLES[0], path, FATES_SCHEMA)
    code = """
        import sys
        sys.path.insert(0, sys.argv[1])
        from pathlib import Path
        from tests.faults.test_disk import FATES_SCHEMA, TABLES, write_table
        path = Path(sys.argv[2])
        while True:
            for table in TABLES:
                write_table(table, path, FATES_SCHEMA)
                (path.parent / "started").touch()
    """
    moments = random.Random(5)
    for _ in range(4):
        words = [sys.executable, "-c", textwrap.dedent(code), os.getcwd(), str(path)]
        process = subprocess.Popen(words)
        deadline = time.monotonic() + 120
        while not (tmp_path / "started").exists():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(moments.uniform(0, 0.3))
        process.kill()
        process.wait()
        (tmp_path / "started").unlink(missing_ok=True)
        found = read_table(path)
        assert any(found.equals(table) for table in TABLES)


FULL = """
    import resource, signal, sys
    from pathlib import Path
    from types import SimpleNamespace
    sys.path.insert(0, sys.argv[1])
    import torch
    from dismai.files.structures import read_structures, write_structures, write_table
    from dismai.pipeline.jobs import job
    from dismai.files.tensors import write_tree
    from tests.faults.test_disk import FATES_SCHEMA, TABLES
    folder, log = Path(sys.argv[2]), sys.argv[4]
    if sys.argv[3] == "limit":
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    many = read_structures(folder / "in.extxyz") * 60
    table = TABLES[0].assign(reason=[str(i**9) for i in range(1000)])
    codes = []
    for write in (
        lambda path: write_structures(many, path),
        lambda path: write_table(table, path, FATES_SCHEMA),
        lambda path: write_tree(path, {"x": torch.rand(100_000)}),
    ):
        try:
            with job(SimpleNamespace(log=[log], threads=1, rule="r")):
                write(folder / "out")
        except SystemExit as error:
            codes.append(error.code)
    print(codes)
"""


@pytest.mark.parametrize("how", ["limit", "full"])
def test_a_full_disk_is_one_line_and_leaves_the_old_file(tmp_path, how):
    """Structures, a table and a state that are larger than a file may be, or than the disk."""
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(FULL))
    write_structures(permuted_alloys(2), tmp_path / "in.extxyz")
    folder, log = tmp_path / "disk", tmp_path / "job.log"
    folder.mkdir()
    steps = 'cp "$1" "$0/in.extxyz"; echo old > "$0/out"; shift; "$@"; cat "$0/out"; ls -A "$0"'
    run = ["sh", "-c"]
    if how == "full":
        if os.getuid() != 0 or not shutil.which("unshare"):
            pytest.skip("needs root, for a small file system in a mount namespace")
        run = ["unshare", "--mount", "--propagation", "private", *run]
        steps = 'mount -t tmpfs -o size=20k none "$0"; ' + steps
    words = [sys.executable, str(script), os.getcwd(), str(folder), how, str(log)]
    result = subprocess.run(
        [*run, steps, str(folder), str(tmp_path / "in.extxyz"), *words],
        capture_output=True,
        text=True,
    )
    # Nothing half-written is left.
    assert result.stdout.split() == ["[2,", "2,", "2]", "old", "in.extxyz", "out"], result.stderr
    assert result.stderr.count("expected room for the results, found: ") == 3
    assert len(log.read_text().splitlines()) == 1
    assert "Traceback" not in result.stderr
