"""Tensors and plain values in one safetensors file: written whole or not at all, no pickle."""

import hashlib
import json
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from dismai.base.atomic import write_atomically
from dismai.base.errors import InputError


def write_tensors(path: Path, tensors: dict[str, Tensor], document: Any) -> None:
    """Write named tensors and a JSON document; the same content gives the same bytes."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    text = json.dumps(document)
    # One key only: safetensors writes several in an order that changes from process to process.
    metadata = {"dismai": json.dumps({"sha256": digest_tensors(tensors, text), "document": text})}
    write_atomically(path, safetensors.torch.save(tensors, metadata))


def read_tensors(path: Path) -> tuple[dict[str, Tensor], Any]:
    """Read what `write_tensors` wrote; InputError if it is anything else, or damaged."""
    path = Path(path)
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise InputError(f"{path}: expected a safetensors file, found no such file") from None
    except SafetensorError as error:
        raise InputError(f"{path}: expected a safetensors file, found: {error}") from None
    try:
        envelope = json.loads(metadata["dismai"])
        intact = digest_tensors(tensors, envelope["document"]) == envelope["sha256"]
    except (KeyError, TypeError, json.JSONDecodeError):
        raise InputError(f"{path}: header: expected an entry of dismai, found none") from None
    if not intact:
        raise InputError(f"{path}: expected the SHA-256 in its header, found damaged content")
    return tensors, json.loads(envelope["document"])


def write_tree(path: Path, tree: Any) -> None:
    """Write nested dicts, lists and tuples of tensors and plain values."""
    tensors: dict[str, Tensor] = {}
    document = _encode(tree, "tree", tensors)
    write_tensors(path, tensors, document)


def read_tree(path: Path) -> Any:
    """Read what `write_tree` wrote, types of keys and containers included."""
    tensors, document = read_tensors(path)
    return _decode(document, tensors)


def _encode(value: Any, place: str, tensors: dict[str, Tensor]) -> Any:
    """A JSON document in which every container is tagged; tensors are moved out by place."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, Tensor):
        tensors[place] = value
        return {"tensor": place}
    if isinstance(value, dict):
        for key in value:
            if type(key) not in (int, str):
                raise TypeError(f"{place}: expected keys int or str, found {type(key).__name__}")
        return {"dict": [[k, _encode(v, f"{place}/{k}", tensors)] for k, v in value.items()]}
    if type(value) in (list, tuple):
        items = [_encode(item, f"{place}/{i}", tensors) for i, item in enumerate(value)]
        return {type(value).__name__: items}
    raise TypeError(f"{place}: expected tensors and plain values, found {type(value).__name__}")


def _decode(document: Any, tensors: dict[str, Tensor]) -> Any:
    if not isinstance(document, dict):
        return document
    ((kind, content),) = document.items()
    if kind == "tensor":
        return tensors[content]
    if kind == "dict":
        return {key: _decode(value, tensors) for key, value in content}
    items = [_decode(item, tensors) for item in content]
    return tuple(items) if kind == "tuple" else items


def digest_tensors(tensors: dict[str, Tensor], text: str) -> str:
    """SHA-256 over a text and contiguous tensors on the CPU: names, types, shapes, bytes."""
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()
