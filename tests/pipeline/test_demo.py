"""make demo and demo-all: a second live run is refused, an unknown one is named."""

import pytest
from filelock import FileLock

from dismai.pipeline import demo
from dismai.pipeline.config import load, n_generated, run_table


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


@pytest.mark.parametrize(("arguments", "name"), [((), "demo"), (("demo-all",), "demo-all")])
def test_the_run_that_is_asked_for_is_run_reported_and_shown(
    tmp_path, monkeypatch, capsys, arguments, name
):
    runs = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo, "end_with_parents", lambda: None)
    monkeypatch.setattr(demo, "snakemake", lambda run, *_: runs.append(run) or 0)
    ranking = tmp_path / "results" / name / "tables" / "ranking.md"
    ranking.parent.mkdir(parents=True)
    ranking.write_text("| model |\n|---|\n| best |\n")
    monkeypatch.setattr(demo, "write_run_page", lambda folder: folder / "report.html")
    assert demo.main(*arguments) == 0
    assert runs == [name] * 3
    shown = capsys.readouterr().out.split()
    assert shown[-3:] == ["best", "report:", f"results/{name}/report.html"]


@pytest.mark.parametrize("arguments", [("paper",), ("demo", "demo-all")])
def test_another_run_is_refused_before_anything_starts(tmp_path, monkeypatch, capsys, arguments):
    monkeypatch.chdir(tmp_path)
    assert demo.main(*arguments) == 2
    assert "expected demo, demo-all or chain, found" in capsys.readouterr().err
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("name", demo.CONFIGURATIONS)
def test_results_of_a_run_lie_in_the_folder_of_its_name(root, name):
    config = load(*(root / path for path in ("config/config.yaml", *demo.CONFIGURATIONS[name])))
    assert config.run == name
    assert "not a benchmark" in config.note


def test_the_demo_has_a_model_on_a_dataset_of_each_kind_in_sets_that_can_be_compared(root):
    config = load(*(root / path for path in ("config/config.yaml", *demo.CONFIGURATIONS["demo"])))
    runs = run_table(config)
    kinds = {config.datasets[run.dataset].kind for run in runs if run.kind == "trained"}
    assert kinds == {"alloy", "amorphous_si", "interface"}
    assert min(n_generated(config, run) for run in runs) >= 10
