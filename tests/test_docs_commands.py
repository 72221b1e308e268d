"""Every command of README and docs is one that runs: planned by Snakemake, parsed by dismai."""

import os
import re
import shlex
import subprocess

import pytest

from dismai.datasets.alloy.kind import KIND as ALLOY
from tests.commands import installed_example, planned, run_snakemake
from tests.conftest import ROOT

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
INLINE = re.compile(r"`((?:snakemake|dismai) [^`]+)`")
BLOCK = re.compile(r"^(?:    )?((?:snakemake|dismai) .+)$", re.MULTILINE)
ONLY_NAMED = re.compile(r"\.\.\.|^dismai \w+$")
"""Not to be pasted: what is left out, a subcommand called by its name."""
PUBLISHED = {
    **dict.fromkeys(ALLOY.datasets, ("cdvae", "diffcsp", "cryingan")),
    "amorphous_si": ("cdvae", "diffcsp"),
    "interface": ("cdvae", "diffcsp", "crystens", "unimat", "cryingan"),
}
GIVEN = [
    "my_structures/alloy_300K_narrow.extxyz",
    "gp_iter6_sparse9k.xml",
    *(f"published/train_val_data/{name}/{part}.extxyz"
      for name in PUBLISHED for part in ("train", "val")),
    *(f"published/generated_data/{name}/{model}/{seed}.extxyz"
      for name, models in PUBLISHED.items() for model in models for seed in range(3)),
]  # fmt: skip
"""Files of a reader that the configurations on the pages name."""
CONFIGURATION = re.compile(r"^    # (\w+\.yaml)\n((?:    .*\n)+)", re.MULTILINE)


def commands(program):
    """Commands of all pages, once each: continued lines joined, comments taken off."""
    found = {}
    for page in PAGES:
        text = page.read_text().replace("\\\n", " ")
        for line in [*INLINE.findall(text), *BLOCK.findall(text)]:
            line = " ".join(re.split(r" +#", line)[0].split())
            if line.startswith(program + " ") and not ONLY_NAMED.search(line):
                found[line] = page
    return found


def expanded(line):
    """The words of a command as a shell makes them of it: braces are its own."""
    words = subprocess.run(
        ["bash", "-c", f"printf '%s\\0' {line}"], capture_output=True, text=True, check=True
    )
    return words.stdout.rstrip("\0").split("\0")


def as_in_the_checkout(word):
    """A word that names a file of the checkout, or a linked profile, as its whole path.

    Results are targets, also where a run of the checkout has made them.
    """
    if word in ("slurm", "local"):
        word = f"profiles/{word}"
    if word.startswith("results/") or "/" not in word:
        return word
    return str(ROOT / word) if (ROOT / word).exists() else word


def test_the_pages_hold_commands():
    assert len(commands("snakemake")) > 10
    assert len(commands("dismai")) > 8


@pytest.mark.parametrize("line", commands("snakemake"))
def test_a_snakemake_command_of_the_docs_can_be_planned(line, tmp_path, monkeypatch):
    if "toy.yaml" in line:
        paths = (str(installed_example(tmp_path)), os.environ.get("PYTHONPATH", ""))
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    for name, text in CONFIGURATION.findall(commands("snakemake")[line].read_text()):
        (tmp_path / name).write_text(re.sub("^    ", "", text, flags=re.MULTILINE))
    for path in GIVEN:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("not read in a plan")
    words = [as_in_the_checkout(word) for word in expanded(line.replace("=1000", "=21"))[1:]]
    report = ["--report"] if "--report" in words else []
    if report:  # of results, which a plan has not
        at = words.index("--report")
        del words[at : at + 2]
    plan = [] if "--unlock" in words else ["-n"]
    place = ("--snakefile", ROOT / "Snakefile", "--directory", tmp_path)
    result = run_snakemake(*place, *words, *plan, folder=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    assert plan == [] or {"--profile", "--cores", "-c", "-n"} & set(words)
    if plan and "--quiet" not in words:  # nobody starts a large run without a word
        assert re.search(r"Run '\w+': \d+ models are trained", result.stdout)
    if "mine.yaml" in words:
        assert "train_model" not in planned(result.stdout)
    if "published_check.yaml" in words:
        jobs = planned(result.stdout)
        assert jobs["import_structures"] == jobs["process_cleaned"] == 57
        assert jobs["import_dataset"] == jobs["build_ready_made"] == 6
        assert not {"train_model", "sample_alloy", "slice_blocks", "relax_ready_made"} & set(jobs)
        assert "make_random_interfaces" not in jobs
    if "theirs.yaml" in words:
        jobs = planned(result.stdout)
        assert jobs["train_by_command"] == 1
        assert "train_model" not in jobs


@pytest.mark.parametrize("line", commands("dismai"))
def test_a_dismai_command_of_the_docs_has_options_that_exist(line):
    from click import Context
    from typer.main import get_command

    from dismai.cli import app

    group = get_command(app)
    words = shlex.split(line)[1:]
    if words[0].startswith("-"):
        assert words[0] in {option for one in group.params for option in one.opts}
        return
    context = Context(group)
    name, command, rest = group.resolve_command(context, words)
    command.make_context(name, rest, parent=context)  # refuses what it cannot parse
