"""Which files a potential of kind `ase` depends on, found without running any of them.

Its entry names an importable factory and arguments. What counts: files and folders that an argument
names, files whose names stand in a text that counts (a YAML file of a YAML file), and the modules
of the factory that are no installed package, with the modules and files that they name in turn.
"""

import ast
import importlib
import re
import sys
import sysconfig
from collections.abc import Iterator
from importlib.machinery import PathFinder
from importlib.metadata import Distribution
from importlib.metadata import distributions as installed
from pathlib import Path
from typing import Any

from dismai.base.atomic import sha256
from dismai.potentials.settings import AsePotential

OUTPUTS = {"directory", "label", "txt", "logfile", "log_file", "trajectory", "tmp_dir"}
"""Arguments of ASE's calculators that name what is written, which is no part of a potential."""
LARGEST_TEXT = 1_000_000
"""Bytes; larger files are weights, whose content is not searched for names of others."""
LONGEST_NAME = 1000
WORDS = re.compile(r"[^\s'\"=,;:()\[\]{}<>]+")


def digests(entry: AsePotential) -> list[str]:
    """SHA-256 of everything on disk that makes the calculator, each once, in a fixed order."""
    importlib.invalidate_caches()
    module, _, _ = entry.calculator.partition(":")
    found: dict[Path, None] = {}
    for text in _texts(entry.params):
        _collect_named(text, [Path.cwd()], found, folders=True)
    for file in _modules(module):
        found.setdefault(file)
        for text in _constants(file):
            _collect_named(text, [file.parent, Path.cwd()], found)
    return [sha256(path) for path in found]


def distributions(entry: AsePotential) -> list[str]:
    """Names of the installed packages that the factory comes from."""
    top = entry.calculator.partition(":")[0].partition(".")[0]
    return sorted({package.metadata["Name"] for package in installed() if _holds(package, top)})


def _holds(package: Distribution, top: str) -> bool:
    """Whether a package has a module of this name; `packages_distributions` lists all: a second."""
    declared = package.read_text("top_level.txt")
    if declared:
        return top in declared.split()
    if top not in (package.read_text("RECORD") or top):
        return False
    files = (file for file in package.files or () if file.suffix == ".py")
    return any(top == (file.parts[0] if len(file.parts) > 1 else file.stem) for file in files)


def _texts(value: Any) -> Iterator[str]:
    """All texts within arguments but for those that name outputs."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            if key not in OUTPUTS:
                yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)


def _collect_named(
    text: str, roots: list[Path], found: dict[Path, None], folders: bool = False
) -> None:
    """Add the files that a text names, as a whole or in a word, and those that they name."""
    for word in dict.fromkeys([text.strip(), *WORDS.findall(text)]):
        for root in roots:
            path = _existing(root, word)
            if path is None or path in found:
                continue
            if path.is_file():
                found.setdefault(path)
                _collect_named(_content(path), [path.parent, *roots], found)
            elif folders and word == text.strip():
                found.setdefault(path)


def _existing(root: Path, word: str) -> Path | None:
    """The file or folder of that name; None if there is none, as for most words."""
    if not 0 < len(word) <= LONGEST_NAME or "\0" in word or not word.strip("./~"):
        return None
    try:
        path = (root / Path(word).expanduser()).resolve()
        return path if path.is_file() or path.is_dir() else None
    except (OSError, RuntimeError, ValueError):
        return None


def _content(path: Path) -> str:
    """Text of a small text file; nothing of others."""
    try:
        return path.read_text() if path.stat().st_size <= LARGEST_TEXT else ""
    except (OSError, UnicodeDecodeError):
        return ""


def _modules(name: str) -> list[Path]:
    """Files of a module and of what it imports, as far as they belong to no installed package."""
    waiting, found = [name], {}
    while waiting:
        name = waiting.pop()
        for file in _files_of_module(name):
            if file in found:
                continue
            found[file] = None
            package = name if file.name == "__init__.py" else name.rpartition(".")[0]
            waiting += _imports(file, package)
    return sorted(found)


def _files_of_module(name: str) -> list[Path]:
    """The file of a module and those of the packages above it; none of installed packages."""
    if name.partition(".")[0] == "dismai":  # has its versions of stages
        return []
    files, path = [], [str(Path.cwd()), *sys.path]
    for end in range(1, name.count(".") + 2):
        try:
            spec = PathFinder.find_spec(".".join(name.split(".")[:end]), path)
        except (ImportError, ValueError):
            return files
        if spec is None:
            return files
        if spec.origin is not None and spec.has_location:
            if _is_installed(Path(spec.origin)):
                return []
            files.append(Path(spec.origin).resolve())
        path = list(spec.submodule_search_locations or [])
    return files


def _is_installed(file: Path) -> bool:
    places = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    return any(file.resolve().is_relative_to(Path(place).resolve()) for place in places)


def _imports(file: Path, package: str) -> list[str]:
    """Names of modules that a file may import."""
    names = []
    for node in ast.walk(_tree(file)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: package.count(".") + 2 - node.level] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            names += [module, *(f"{module}.{alias.name}" for alias in node.names)]
    return [name for name in names if name]


def _constants(file: Path) -> list[str]:
    """Texts within a module that may name files."""
    nodes = ast.walk(_tree(file))
    return [
        node.value
        for node in nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


def _tree(file: Path) -> ast.AST:
    try:
        return ast.parse(file.read_bytes())
    except (SyntaxError, ValueError, OSError):  # a compiled module, or one that will not load
        return ast.Module(body=[], type_ignores=[])
