"""Generative models by name. Importing this is cheap: architectures are loaded when needed.

Ours are listed here. Those of other packages are found through two entry-point groups:
`dismai.models` names the class, `dismai.hparams` the hyperparameters, which can be checked without
importing torch.
"""

from __future__ import annotations

import difflib
import logging
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from dismai.base.card import Card, DatasetSpec
from dismai.base.errors import InputError
from dismai.base.kinds import KINDS, dataset_names, kind_name
from dismai.base.plugins import import_entry_point
from dismai.base.section import Section

if TYPE_CHECKING:
    from ase import Atoms

    from dismai.models.base import GenerativeModel

logger = logging.getLogger(__name__)

OURS = {
    "cdvae": "CDVAE",
    "cryingan": "CryinGAN",
    "crystal_diffusion": "CrystalDiffusion",
    "crystal_gan": "CrystalGAN",
    "crystal_wgan": "CrystalWGAN",
    "crystens": "CrysTens",
    "diffcsp": "DiffCSP",
    "melt": "Melt",
    "unimat": "UniMat",
}
"""Our architectures, each in a package of its name here, and their classes."""
MODEL_GROUP = "dismai.models"
HPARAMS_GROUP = "dismai.hparams"
ONE_CELL = (1, 1, 1)


def names() -> list[str]:
    """Names of the architectures that can be used."""
    return sorted({*OURS, *(entry.name for entry in entry_points(group=MODEL_GROUP))})


def check_hparams(name: str, params: dict[str, Any]) -> Section:
    """Hyperparameters of an architecture, defaults filled in; InputError for the first mistake."""
    hparams_class = _hparams_class(name)
    try:
        return hparams_class(**params)
    except ValidationError as error:
        raise InputError(_first_mistake(name, hparams_class, error)) from None


def check_kind(name: str, kind: str) -> None:
    """InputError unless an architecture can model datasets of a kind.

    It models those with the class of cards that its `Hparams.CARD` names; without one, structures
    of one composition in one cell. Nothing heavy is imported for it.
    """
    if kind in (modelled := _kinds_of(name)):
        return
    others = [other for other in names() if kind in _kinds_of(other)]
    advice = f"there are {', '.join(others)}" if others else "there is none"
    raise InputError(f"{name} models {', '.join(modelled)}, not {kind}; on {kind} {advice}")


def _kinds_of(name: str) -> list[str]:
    card = getattr(_hparams_class(name), "CARD", DatasetSpec)
    return [kind for kind, entry in KINDS.items() if issubclass(entry.card_class, card)]


def create(name: str, spec: Card, **params: Any) -> GenerativeModel:
    """An untrained model of a dataset; `params` are hyperparameters of the architecture."""
    check_kind(name, spec.kind)
    return _model_class(name)(spec, check_hparams(name, params))


def load(path: Path) -> GenerativeModel:
    """A trained model, of whatever architecture, from the file that its `save` wrote."""
    from dismai.models.weights import read_header  # needs torch

    return _model_class(read_header(Path(path))["architecture"]).load(Path(path))


def sampling_params(name: str, params: dict[str, Any]) -> dict[str, Any]:
    """Those of some hyperparameters that nothing but sampling reads, as the architecture says."""
    own = getattr(_hparams_class(name), "SAMPLING", ())
    return {key: value for key, value in params.items() if key in own}


def with_hparams(model: GenerativeModel, params: dict[str, Any]) -> GenerativeModel:
    """The model, from now on with other hyperparameters of sampling; its weights stay."""
    changed = {**model.hparams.model_dump(), **params}
    model.hparams = check_hparams(model.architecture, changed)
    return model


def train(
    model: GenerativeModel, train: list[Atoms], val: list[Atoms], target: Path, seed: int
) -> None:
    """Fit a model and save it; `hparams.yaml` and `history.csv` stand beside its file.

    Raises:
        InputError: the model saves no file that `load` can read.
    """
    from dismai.models.weights import check_saved, write_missing  # needs torch

    model.fit(train, val, target.parent, seed)
    write_missing(target.parent, model)
    model.save(target)
    check_saved(target, model)


def sample(
    model: GenerativeModel, n: int, seed: int, repeat: tuple[int, int, int] = ONE_CELL
) -> list[Atoms]:
    """Structures drawn from a model; too few are left to the evaluation, as failed ones.

    With `repeat` their cell is so many training cells along its vectors.

    Raises:
        InputError: none, too many, or something that is no structure; a model that draws cells of
            one size only was asked for others.
    """
    from ase import Atoms

    if repeat == ONE_CELL:
        structures = model.sample(n, seed)
    elif model.any_multiple:
        structures = model.sample(n, seed, repeat)
    else:
        raise InputError(
            f"{model.architecture}: repeat: expected 1 1 1, as it draws cells of one size only, "
            f"found {' '.join(map(str, repeat))}"
        )
    place = f"{model.architecture}: sample"
    if not isinstance(structures, list | tuple):
        raise InputError(f"{place}: expected a list, found {type(structures).__name__}")
    for number, atoms in enumerate(structures):
        if not isinstance(atoms, Atoms):
            found = type(atoms).__name__
            raise InputError(f"{place}: structure {number}: expected ase.Atoms, found {found}")
    if not 1 <= len(structures) <= n:
        raise InputError(f"{place}: expected {n} structures, found {len(structures)}")
    if len(structures) < n:
        logger.warning("%s: expected %d structures, found %d", place, n, len(structures))
    return list(structures)


def parameter_count(name: str, dataset: str) -> int:
    """Parameters trained at paper scale, summed over the networks of an architecture."""
    return create(name, paper_spec(dataset)).parameter_count()


def paper_spec(dataset: str) -> Card:
    """Composition and size of a dataset of the paper."""
    if dataset not in dataset_names():
        expected = ", ".join(dataset_names())
        raise InputError(f"dataset: expected one of {expected}, found {dataset!r}")
    kind = kind_name(dataset)
    return KINDS[kind].card_class.of_the_paper(dataset, kind)


def _entry(group: str, name: str) -> EntryPoint | None:
    """Where an architecture, or its hyperparameters, is; ours need no metadata of a package."""
    if name in OURS:
        place = f"{__name__}.{name}"
        values = {MODEL_GROUP: f"{place}:{OURS[name]}", HPARAMS_GROUP: f"{place}.hparams:Hparams"}
        return EntryPoint(name, values[group], group)
    return next(iter(entry_points(group=group, name=name)), None)


def _model_class(name: str) -> type[GenerativeModel]:
    """The class of an architecture; InputError names what it lacks."""
    from dismai.models.base import GenerativeModel

    entry = _entry(MODEL_GROUP, name)
    if entry is None:
        raise InputError(f"architecture: expected one of {', '.join(names())}, found {name!r}")
    found = import_entry_point(entry)
    place = f"{name}: {entry.value}"
    if not (isinstance(found, type) and issubclass(found, GenerativeModel)):
        raise InputError(f"{place}: expected a subclass of dismai.models.base.GenerativeModel")
    missing = sorted(found.__abstractmethods__)
    for method, other in (("tensors", "save"), ("take_tensors", "load")):
        own = getattr(found, method) is not getattr(GenerativeModel, method)
        whole = getattr(found, other).__qualname__ != f"GenerativeModel.{other}"
        if not own and not whole:
            missing.append(f"{method} (or {other})")
    if missing:
        raise InputError(f"{place}: expected the methods {', '.join(missing)}, found none")
    _check_section(name, found.Hparams)
    if not hasattr(found, "architecture"):
        found.architecture = name
    return found


def _hparams_class(name: str) -> type[Section]:
    """Hyperparameters of an architecture; one that registers none is imported to find them."""
    registered = _entry(HPARAMS_GROUP, name) if name in OURS or name in names() else None
    if registered is None:
        return _model_class(name).Hparams
    found = import_entry_point(registered)
    _check_section(name, found)
    return found


def _check_section(name: str, hparams: Any) -> None:
    if not (isinstance(hparams, type) and issubclass(hparams, Section)):
        raise InputError(f"{name}: Hparams: expected a subclass of dismai.base.section.Section")


def _first_mistake(name: str, hparams_class: type[Section], error: ValidationError) -> str:
    first = error.errors()[0]
    # Names of the branches of a union are part of pydantic's location, not of the user's keys.
    place = ".".join(str(part) for part in first["loc"] if "[" not in str(part))
    if first["type"] == "extra_forbidden":
        known = list(hparams_class.model_fields)
        if (renamed := getattr(hparams_class, "RENAMED", {}).get(place)) in known:
            return f"{name}: {place}: expected its new name, {renamed}, found the former one"
        close = difflib.get_close_matches(place, known, n=1, cutoff=0.5) or known
        return f"{name}: {place}: expected a known hyperparameter ({', '.join(close)}), found this"
    expected = first["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    return f"{name}: {place or 'hyperparameters'}: expected {expected}, found {first['input']!r}"
