"""Files of trained models: one safetensors file with everything to use it, hparams.yaml beside."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import torch
import yaml
from torch import Tensor

from dismai.base.atomic import write_atomically
from dismai.base.card import Card, card_from
from dismai.base.errors import InputError
from dismai.base.section import Section
from dismai.files.tensors import read_tensors, write_tensors

HEADER = ("architecture", "hparams", "card")


class Trained(Protocol):
    """What the files of a model are written from; `GenerativeModel` is one."""

    architecture: str
    hparams: Section
    spec: Card
    history: Sequence[dict[str, float]]


def write_model(path: Path, model: Trained, tensors: dict[str, Tensor]) -> None:
    """Write weights with architecture, hyperparameters and card in the header."""
    hparams = model.hparams.model_dump(mode="json")
    header = {
        "architecture": model.architecture,
        "hparams": hparams,
        "card": model.spec.model_dump(mode="json"),
    }
    converted = {name: torch.as_tensor(value) for name, value in tensors.items()}
    write_tensors(path, converted, header)
    _write_hparams(Path(path), model.architecture, hparams)


def read_model(path: Path, architecture: str) -> tuple[Card, dict[str, Any], dict]:
    """Card, hyperparameters and tensors of a model file of one architecture."""
    tensors, header = read_tensors(path)
    _check_header(path, header)
    if header["architecture"] != architecture:
        found = header["architecture"]
        raise InputError(f"{path}: architecture: expected {architecture}, found {found}")
    return card_from(header["card"]), header["hparams"], tensors


def write_missing(folder: Path, model: Trained) -> None:
    """Write `history.csv` from what the model logged, unless its `fit` wrote one."""
    path = Path(folder) / "history.csv"
    if model.history or not path.exists():
        columns = list(dict.fromkeys(["step", *(key for row in model.history for key in row)]))
        lines = [",".join(f"{row.get(key, '')}" for key in columns) for row in model.history]
        write_atomically(path, "\n".join([",".join(columns), *lines, ""]).encode())


def check_saved(path: Path, model: Trained) -> None:
    """InputError unless a model has saved a file from which it can be loaded by name.

    `hparams.yaml` is written where `save` did not.
    """
    path, place = Path(path), f"{model.architecture}: save"
    advice = "dismai.models.weights.write_model makes it, as does save of GenerativeModel"
    if not path.is_file():
        raise InputError(f"{place}: expected {path.name}, found no such file; {advice}")
    try:
        header = read_header(path)
    except InputError as error:
        found = str(error).removeprefix(f"{path}: ")
        raise InputError(f"{place}: {path.name}: {found}; {advice}") from None
    if header["architecture"] != model.architecture:
        found = header["architecture"]
        raise InputError(f"{place}: expected architecture {model.architecture}, found {found}")
    if not path.with_name("hparams.yaml").is_file():
        _write_hparams(path, header["architecture"], header["hparams"])


def _write_hparams(path: Path, architecture: str, hparams: dict[str, Any]) -> None:
    text = yaml.safe_dump({"architecture": architecture, **hparams}, sort_keys=False)
    write_atomically(path.with_name("hparams.yaml"), text.encode())


def read_header(path: Path) -> dict[str, Any]:
    """Architecture, hyperparameters and card of a model file."""
    _, header = read_tensors(path)
    _check_header(path, header)
    return header


def _check_header(path: Path, header: Any) -> None:
    if not isinstance(header, dict) or sorted(header) != sorted(HEADER):
        raise InputError(f"{path}: header: expected {', '.join(HEADER)}, found a file of no model")
