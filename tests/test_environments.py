"""Environments agree: pins, what pyproject.toml allows, conda, the container, the Makefile."""

import importlib.metadata
import json
import os
import re
import subprocess
import sys
import tomllib
import urllib.error
import urllib.request
from functools import cache
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import dismai

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = "mpinterfaces,test"
"""Of the project, in the locks."""
CONTAINER = (ROOT / "envs" / "dismai.def").read_text()
INSTALLER = (ROOT / "envs" / "install.sh").read_text()
SDISTS = {"bibtexparser", "connection-pool", "icet", "nvidia-ml-py3"}
"""Pins without a wheel: what they ask for is known once they are built, that is, installed."""
UNUSED = {"FireWorks", "nose", "pyhull", "pymatgen-db", "seaborn"}
"""What MPInterfaces asks for; the one module of it that is loaded needs none of them."""


def locked(name):
    """Pins of one lock, by canonical name, and the number of hashes of each."""
    pins, hashes = {}, {}
    for line in (ROOT / name).read_text().splitlines():
        if re.match(r"\w", line):
            pin = Requirement(line.rstrip("\\"))
            (one,) = pin.specifier
            assert one.operator == "==", line
            key = canonicalize_name(pin.name)
            assert key not in pins, line
            pins[key], hashes[key] = one.version, 0
        elif "--hash=sha256:" in line:
            hashes[key] += 1
    return pins, hashes


def test_the_lock_of_the_site_has_what_its_group_asks_for():
    pins, hashes = locked("requirements-docs.txt")
    assert all(hashes.values())
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    for wanted in map(Requirement, groups["docs"]):
        assert pins[canonicalize_name(wanted.name)] in wanted.specifier
    assert not {"torch", "numpy"} & pins.keys()


PINS = locked("requirements.txt")[0] | locked("requirements-cuda.txt")[0]


def test_every_pin_has_hashes_and_stands_once():
    locks = [locked(f"requirements{part}.txt") for part in ("", "-cuda", "-cpu")]
    assert all(number for _, hashes in locks for number in hashes.values())
    rest, cuda, cpu = (pins for pins, _ in locks)
    assert not rest.keys() & cuda.keys()
    assert cpu == {"torch": f"{cuda['torch']}+cpu"}
    assert {"nvidia-cudnn-cu13", "triton"} < cuda.keys()


@cache
def applying(text, extra):
    """A requirement as a list: empty where its marker does not apply."""
    asked = Requirement(text)
    return [asked] if asked.marker is None or asked.marker.evaluate({"extra": extra}) else []


def unmet(pins, requires):
    """Requirements without a fitting pin, from the project on, and the pins that are reached.

    Args:
        pins: versions by canonical name.
        requires: what each of them asks for, as lists of strings.
    """
    own = [*PROJECT["dependencies"]]
    for extra, asked in PROJECT["optional-dependencies"].items():
        own += [f"{one}; extra == '{extra}'" for one in asked]
    pins = pins | {PROJECT["name"]: dismai.__version__}
    requires = requires | {PROJECT["name"]: own}
    missing, seen = set(), set()
    wanted = [Requirement(f"{PROJECT['name']}[{EXTRAS}]")]
    while wanted:
        asked = wanted.pop()
        name = canonicalize_name(asked.name)
        if name not in pins or not asked.specifier.contains(pins[name], prereleases=True):
            missing.add(asked.name)
            continue
        for extra in ("", *asked.extras):
            if (name, extra) not in seen:
                seen.add((name, extra))
                wanted += [one for text in requires[name] for one in applying(text, extra)]
    return missing, {name for name, _ in seen} - {PROJECT["name"]}


def start_pip(pins, report):
    """pip as it is on a new machine, reading the metadata of pins; no wheel is downloaded."""
    environment = {key: value for key, value in os.environ.items() if key[:4] != "PIP_"}
    words = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--no-deps"]
    words += ["--only-binary", ":all:", "--use-feature", "fast-deps", "--disable-pip-version-check"]
    words += ["--quiet", "--report", str(report), *pins]
    return subprocess.Popen(
        words,
        env=environment | {"PIP_CONFIG_FILE": os.devnull},
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def registered(tmp_path_factory):
    """What the pins ask for, by canonical name, as the registry says."""
    try:
        urllib.request.urlopen("https://pypi.org/simple/pip/", timeout=20).close()
    except (urllib.error.URLError, TimeoutError) as error:
        pytest.skip(f"needs the network: {error}")
    folder = tmp_path_factory.mktemp("registry")
    wanted = [f"{name}=={version}" for name, version in PINS.items() if name not in SDISTS]
    n = 8
    running = [start_pip(wanted[i::n], folder / f"{i}.json") for i in range(n)]
    found = {name: importlib.metadata.requires(name) or [] for name in SDISTS}
    for i, process in enumerate(running):
        said = process.communicate()[1]
        assert process.returncode == 0, said
        for entry in json.loads((folder / f"{i}.json").read_text())["install"]:
            metadata = entry["metadata"]
            found[canonicalize_name(metadata["name"])] = metadata.get("requires_dist", [])
    return found


def test_the_pins_are_all_that_an_ordinary_pip_needs(registered):
    missing, reached = unmet(PINS, registered)
    assert missing == UNUSED
    assert reached == PINS.keys()


def test_a_pin_that_is_taken_out_is_missed(registered):
    assert unmet(PINS, registered)[0] == UNUSED
    for name in PINS:
        missing, _ = unmet({key: PINS[key] for key in PINS if key != name}, registered)
        assert name in {canonicalize_name(one) for one in missing - UNUSED}


def test_what_is_installed_agrees_but_for_what_is_not_needed():
    """`pip check`, whose exit status cannot tell the two apart.

    MPInterfaces does without some packages; PAW data of GPAW are a Debian package.
    """
    result = subprocess.run(
        [sys.executable, "-m", "pip", "check", "--disable-pip-version-check"],
        capture_output=True, text=True,
    )  # fmt: skip
    expected = {
        f"mpinterfaces 2020.6.19 requires {name.lower()}, which is not installed."
        for name in UNUSED
    }
    installed = {entry.name: entry.version for entry in importlib.metadata.distributions()}
    if "gpaw" in installed:
        gpaw = f"gpaw {installed['gpaw']}"
        expected.add(f"{gpaw} requires gpaw-data, which is not installed.")
    assert set(result.stdout.splitlines()) == expected


@pytest.mark.parametrize(
    ("switch", "pip_finds_it", "lock", "index"),
    [
        ("", False, "cuda", False),
        ("", True, "cpu", False),
        ("0", True, "cuda", False),
        ("1", True, "cpu", False),
        ("1", False, "cpu", True),
    ],
)
def test_the_installer_takes_the_build_of_torch_that_is_asked_for(
    tmp_path, switch, pip_finds_it, lock, index
):
    python = tmp_path / "python"
    answer = 0 if pip_finds_it else 1
    python.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n'
        f'case "$*" in *--dry-run*) exit {answer};; esac\n'
    )
    python.chmod(0o755)
    subprocess.run(
        [ROOT / "envs" / "install.sh"],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "DISMAI_CPU": switch},
        check=True,
    )
    calls = (tmp_path / "calls").read_text().splitlines()
    (call,) = [one for one in calls if "requirements.txt" in one]
    assert "--no-deps --require-hashes" in call
    assert re.findall(r"requirements-(\w+)\.txt", call) == [lock]
    assert ("--extra-index-url" in call) == index


def test_the_installer_refuses_a_switch_that_it_does_not_know():
    result = subprocess.run(
        [ROOT / "envs" / "install.sh"],
        env={"PATH": os.environ["PATH"], "DISMAI_CPU": "yes"},
        capture_output=True, text=True,
    )  # fmt: skip
    assert result.returncode == 2
    assert "DISMAI_CPU: expected 0, 1 or nothing, found yes" in result.stderr


def test_conda_has_exact_versions_and_leaves_packages_to_the_pins():
    environments = sorted((ROOT / "envs").glob("*.yaml"))
    assert environments
    for path in environments:
        wanted = yaml.safe_load(path.read_text())["dependencies"]
        assert all(re.fullmatch(r"[a-z-]+=[\d.]+", entry) for entry in wanted), wanted
        versions = dict(entry.split("=") for entry in wanted)
        assert SpecifierSet(PROJECT["requires-python"]).contains(versions["python"])
        assert f"pip=={versions['pip']}" in INSTALLER
        assert f"From: python:{versions['python']}-" in CONTAINER
        deploy = path.with_suffix("").with_suffix(".post-deploy.sh").read_text()
        assert '"$source_folder/envs/install.sh"' in deploy
        used = {re.search(r'"\.\./envs/(.+)"', rule).group(1) for rule in rules_with_environments()}
        assert used == {entry.name for entry in environments}


def rules_with_environments():
    """Lines of the rules that name an environment."""
    return [
        line
        for path in (ROOT / "rules").glob("*.smk")
        for line in path.read_text().splitlines()
        if "../envs/" in line
    ]


def test_the_container_has_the_same_pins_and_every_folder_the_workflow_needs():
    assert "/opt/dismai/envs/install.sh" in CONTAINER
    copied = re.findall(r"^    (\S+) /opt/dismai/\1$", CONTAINER, re.MULTILINE)
    assert all((ROOT / name).exists() for name in copied)
    assert {path.name for path in ROOT.glob("requirements*.txt")} - set(copied) == {
        "requirements-gpaw.txt",
        "requirements-docs.txt",
    }
    needed = {"Snakefile", "rules", "workflow", "config", "envs", "resources", "docs", "src"}
    assert needed <= set(copied)
