"""Interatomic potentials by name: an entry of the configuration to an ASE calculator."""

import importlib
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from dismai.base.device import resolved
from dismai.base.errors import InputError, did_you_mean
from dismai.base.text import read_yaml
from dismai.potentials.settings import (
    POTENTIAL_KINDS,
    AsePotential,
    ChgnetPotential,
    GapPotential,
    M3gnetPotential,
    Potential,
    SwPotential,
)

if TYPE_CHECKING:
    from ase.calculators.calculator import Calculator

BUILT_IN = {"sw": SwPotential(kind="sw"), "chgnet": ChgnetPotential(kind="chgnet")}
"""Potentials that need no file, by the names under which they can be asked for anywhere."""
SILICON = frozenset({"Si"})
PACKAGES = {
    "gap": ("quippy-ase",),
    "chgnet": ("chgnet", "torch"),
    "m3gnet": ("matgl", "torch"),
}
"""Distributions that compute, by kind."""
LONGEST_NAME = 255


def load(
    entry: Potential | dict[str, Any], elements: Iterable[str] = (), device: str = "cpu"
) -> "Calculator":
    """An ASE calculator for an entry of the section `potentials`.

    Args:
        entry: the entry, checked or as read from YAML.
        elements: symbols that the potential has to know.
        device: where networks compute: cpu, cuda, or auto for a GPU if there is one.

    Raises:
        InputError: a wrong entry, a file that is missing or not what it should be, or an element
            that the potential does not know.
    """
    entry = check_entry(entry)
    known = None
    if isinstance(entry, ChgnetPotential | M3gnetPotential):
        device = resolved(device)
    if isinstance(entry, SwPotential):
        from dismai.potentials.sw import stillinger_weber

        calculator, known = stillinger_weber(), SILICON
    elif isinstance(entry, GapPotential):
        from dismai.potentials.gap import gap

        calculator, known = gap(_made(entry), entry.sha256)
    elif isinstance(entry, ChgnetPotential):
        from dismai.potentials.chgnet import chgnet

        calculator = chgnet(entry.weights, device)
    elif isinstance(entry, M3gnetPotential):
        from dismai.potentials import m3gnet

        calculator = m3gnet.load(_m3gnet_file(entry), device)
        known = frozenset(calculator.element_types)
    else:
        calculator = _ase(entry)
    unknown = sorted(set(elements) - known) if known is not None else []
    if unknown:
        raise InputError(
            f"potential of kind {entry.kind}: expected one for {', '.join(unknown)}, "
            f"found one for {', '.join(sorted(known))}"
        )
    return calculator


def check_entry(entry: Potential | dict[str, Any], source: str = "potential") -> Potential:
    """An entry as its section; InputError in one line if it is wrong."""
    try:
        return TypeAdapter(Potential).validate_python(entry)
    except ValidationError as error:
        first = error.errors()[0]
        if first["type"].startswith("union_tag"):
            found = (
                first["input"].get("kind") if isinstance(first["input"], dict) else first["input"]
            )
            expected = ", ".join(POTENTIAL_KINDS)
            raise InputError(
                f"{source}: kind: expected one of {expected}, found {found!r}"
            ) from None
        if first["type"] == "value_error":
            message = first["msg"].removeprefix("Value error, ")
            raise InputError(f"{source}: {message}") from None
        place = ".".join(map(str, first["loc"][1:]))  # the kind comes first
        expected = first["msg"].removeprefix("Input should be ")
        raise InputError(f"{source}: {place or 'entry'}: expected {expected}") from None


def entry_from_word(text: str) -> Potential:
    """The entry that a word of a command line means.

    Args:
        text: a built-in name, a YAML file that holds one entry, or the XML file of a GAP. Paths
            in a YAML file start at its folder.
    """
    if text in BUILT_IN:
        return BUILT_IN[text]
    path = Path(text)
    if path.suffix == ".xml":
        return GapPotential(kind="gap", file=str(path))
    if path.suffix in (".yaml", ".yml"):
        entry = read_yaml(path, "an entry of a potential")
        return with_paths_from(check_entry(entry, str(path)), path.parent)
    raise InputError(
        f"potential {text!r}: expected {', '.join(BUILT_IN)}, the YAML file of an entry, or the "
        f"XML file of a GAP{did_you_mean(text, BUILT_IN)}"
    )


def with_paths_from(entry: Potential, folder: Path) -> Potential:
    """The entry with relative paths taken from a folder.

    Arguments of an ASE calculator are paths where the folder holds something of that name.
    """
    for key in ("file", "folder"):
        if getattr(entry, key, None) is not None:
            return with_file_at(entry, Path(folder) / getattr(entry, key))
    if isinstance(entry, AsePotential):
        return entry.model_copy(update={"params": _paths_from(entry.params, Path(folder))})
    return entry


def _paths_from(value: Any, folder: Path) -> Any:
    if isinstance(value, dict):
        return {key: _paths_from(item, folder) for key, item in value.items()}
    if isinstance(value, list):
        return [_paths_from(item, folder) for item in value]
    if isinstance(value, str) and 0 < len(value) < LONGEST_NAME and value.strip("./~"):
        path = folder / value
        return str(path) if path.is_file() or path.is_dir() else value
    return value


def with_file_at(entry: Potential, path: Path | None) -> Potential:
    """The entry with its file or folder at a path; None: it has neither."""
    if path is None:
        return entry
    key, made_by = ("file", "fit") if isinstance(entry, GapPotential) else ("folder", "train")
    return entry.model_copy(update={key: str(path), made_by: None})


def potential_digest(entry: Potential) -> str:
    """SHA-256 that names a potential: its entry, and contents of all files that it depends on.

    Raises:
        InputError: a file that is missing, or a GAP that is none.
    """
    from dismai.base import kept
    from dismai.base.atomic import sha256
    from dismai.potentials.gap import read_gap

    content = entry.model_dump(mode="json")
    if isinstance(entry, GapPotential):
        file = _made(entry)
        beside = sorted(file.parent / name for name in read_gap(file).sparse)
        content["file"] = sha256(file)
        content["sparse"] = [sha256(path) for path in beside if path.is_file()]
        content["sha256"] = None
    if isinstance(entry, M3gnetPotential):
        content["folder"] = sha256(_m3gnet_file(entry))
    if isinstance(entry, AsePotential):
        from dismai.potentials.files import digests

        content["files"] = digests(entry)
    return kept.digest(content)


def packages(entry: Potential) -> dict[str, str]:
    """Versions of the packages that compute with a potential and relax in it."""
    names = ["ase", "numpy", "scipy", *PACKAGES.get(entry.kind, ())]
    if isinstance(entry, AsePotential):
        from dismai.potentials.files import distributions

        names += distributions(entry)
    return {name: version(name) for name in names}


def name_of(entry: Potential) -> str:
    """How an entry is called in messages: its file, folder or factory, else its kind."""
    for key in ("file", "folder", "calculator"):
        if getattr(entry, key, None) is not None:
            return getattr(entry, key)
    return f"potential of kind {entry.kind}"


def _m3gnet_file(entry: M3gnetPotential) -> Path:
    """The model.safetensors of an entry, or the folder that matgl has saved."""
    from dismai.potentials.m3gnet.saved import is_matgl_folder

    path = _made(entry)
    if is_matgl_folder(path):
        return path
    file = path if path.is_file() else path / "model.safetensors"
    if not file.is_file():
        raise InputError(f"{file}: expected a trained M3GNet, found no such file")
    return file


def _made(entry: GapPotential | M3gnetPotential) -> Path:
    if isinstance(entry, M3gnetPotential):
        key, found = "folder", "a training"
    else:
        key, found = "file", "a fit"
    path = getattr(entry, key)
    if path is None:
        raise InputError(
            f"potential of kind {entry.kind}: expected a {key}, found {found} that is yet to make"
        )
    return Path(path)


def _ase(entry: AsePotential) -> "Calculator":
    module, _, name = entry.calculator.partition(":")
    try:
        factory = importlib.import_module(module)
        for part in name.split("."):
            factory = getattr(factory, part)
    except Exception as error:  # a module may raise anything
        found = _one_line(error)
        raise InputError(
            f"potential {entry.calculator}: expected something to import, found {found}"
        ) from None
    try:
        calculator = factory(**entry.params)
    except Exception as error:  # so may a factory
        found = _one_line(error)
        raise InputError(
            f"potential {entry.calculator}: expected its params to make a calculator, found {found}"
        ) from None
    if not hasattr(calculator, "get_potential_energy") or not hasattr(calculator, "get_forces"):
        raise InputError(
            f"potential {entry.calculator}: expected an ASE calculator, "
            f"found {type(calculator).__name__}"
        )
    return calculator


def _one_line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:120]
