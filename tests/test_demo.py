"""make demo: a second live run is refused."""

import pytest
from filelock import FileLock

from dismai import demo


def test_a_second_live_run_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo, "end_with_parents", lambda: None)
    (tmp_path / "results").mkdir()
    with FileLock(tmp_path / "results" / ".lock"):
        assert demo.main() == 3
    assert "another run is at work in results/" in capsys.readouterr().err


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_the_first_failing_step_decides_the_exit_code(tmp_path, monkeypatch, failing):
    calls = []

    def fake_snakemake(*arguments):
        calls.append(arguments)
        return 7 if len(calls) - 1 == failing else 0

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo, "end_with_parents", lambda: None)
    monkeypatch.setattr(demo, "snakemake", fake_snakemake)
    assert demo.main() == 7
    assert len(calls) == failing + 1
    assert "--unlock" in calls[0]
