"""Environments agree: pins, what pyproject.toml allows, conda, the container, the Makefile."""

import re
import tomllib
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PINS = [
    Requirement(line.split("#")[0])
    for line in (ROOT / "requirements.txt").read_text().splitlines()
    if line.split("#")[0].strip()
]
CONTAINER = (ROOT / "envs" / "dismai.def").read_text()
INSTALL = "pip install --no-deps -r"


def test_every_pin_is_exact_and_there_once():
    names = [canonicalize_name(pin.name) for pin in PINS]
    assert len(set(names)) == len(names)
    assert all([one.operator for one in pin.specifier] == ["=="] for pin in PINS)


def test_pins_satisfy_what_the_package_asks_for():
    pinned = {canonicalize_name(pin.name): next(iter(pin.specifier)).version for pin in PINS}
    extras = PROJECT["optional-dependencies"]
    asked = [*PROJECT["dependencies"], *extras["peers"], *extras["test"]]
    for requirement in map(Requirement, asked):
        if requirement.name != PROJECT["name"]:
            version = pinned[canonicalize_name(requirement.name)]
            assert requirement.specifier.contains(version), requirement


def test_conda_has_exact_versions_and_leaves_packages_to_the_pins():
    environments = sorted((ROOT / "envs").glob("*.yaml"))
    assert environments
    for path in environments:
        wanted = yaml.safe_load(path.read_text())["dependencies"]
        assert all(re.fullmatch(r"[a-z-]+=[\d.]+", entry) for entry in wanted), wanted
        versions = dict(entry.split("=") for entry in wanted)
        assert SpecifierSet(PROJECT["requires-python"]).contains(versions["python"])
        assert f"pip=={versions['pip']}" in (ROOT / "Makefile").read_text()
        assert f"From: python:{versions['python']}-" in CONTAINER
        deploy = path.with_suffix("").with_suffix(".post-deploy.sh").read_text()
        assert f'{INSTALL} "$source_folder/requirements.txt"' in deploy
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
    (pip,) = re.findall(r"pip==[\d.]+", CONTAINER)
    assert pip in (ROOT / "Makefile").read_text()
    assert "pip install --no-cache-dir --no-deps -r /opt/dismai/requirements.txt" in CONTAINER
    copied = re.findall(r"^    (\S+) /opt/dismai/\1$", CONTAINER, re.MULTILINE)
    assert all((ROOT / name).exists() for name in copied)
    needed = {"Snakefile", "rules", "workflow", "config", "envs", "resources", "docs", "src"}
    assert needed <= set(copied)
