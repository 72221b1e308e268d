"""Files of trained models: one safetensors file with everything to use it, hparams.yaml beside."""

from pathlib import Path
from typing import Any

import yaml
from torch import Tensor

from dismai.datasets.spec import DatasetSpec
from dismai.errors import InputError
from dismai.models.base import GenerativeModel
from dismai.training.files import read_tensors, write_atomically, write_tensors

HEADER = ("architecture", "hparams", "card")


def write_model(path: Path, model: GenerativeModel, tensors: dict[str, Tensor]) -> None:
    """Write weights with architecture, hyperparameters and card in the header."""
    hparams = model.hparams.model_dump(mode="json")
    header = {
        "architecture": model.architecture,
        "hparams": hparams,
        "card": model.spec.model_dump(mode="json"),
    }
    write_tensors(path, tensors, header)
    text = yaml.safe_dump({"architecture": model.architecture, **hparams}, sort_keys=False)
    write_atomically(Path(path).with_name("hparams.yaml"), text.encode())


def read_model(path: Path, architecture: str) -> tuple[DatasetSpec, dict[str, Any], dict]:
    """Card, hyperparameters and tensors of a model file of one architecture."""
    tensors, header = read_tensors(path)
    _check_header(path, header)
    if header["architecture"] != architecture:
        found = header["architecture"]
        raise InputError(f"{path}: architecture: expected {architecture}, found {found}")
    return DatasetSpec(**header["card"]), header["hparams"], tensors


def read_header(path: Path) -> dict[str, Any]:
    """Architecture, hyperparameters and card of a model file."""
    _, header = read_tensors(path)
    _check_header(path, header)
    return header


def _check_header(path: Path, header: Any) -> None:
    if not isinstance(header, dict) or sorted(header) != sorted(HEADER):
        raise InputError(f"{path}: header: expected {', '.join(HEADER)}, found a file of no model")
