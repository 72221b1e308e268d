"""An M3GNet as matgl saves it: model.json and state.pt of a folder; nothing in it is executed.

Of the three files of such a folder model.pt is a pickle of what model.json says in words, and both
name classes that matgl would import and call. Here sizes come from model.json, for M3GNet alone,
and weights from state.pt by the reader of PyTorch that knows tensors only.
"""

import inspect
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matgl.apps.pes import Potential
from matgl.models import M3GNet

from dismai.base.errors import InputError
from dismai.potentials.m3gnet.saved import MATGL_FILES

MODEL, STATE = MATGL_FILES
PLAIN = (str, int, float, bool, type(None))
TERMS = ("calc_repuls", "zbl_trainable")
"""Of a potential beside its network: the short-range repulsion."""


def read_matgl(folder: Path) -> Potential:
    """The potential of a folder; InputError in one line for anything but an M3GNet of matgl."""
    path = folder / MODEL
    sizes, terms = _described(path)
    elements = sizes["element_types"]
    weights = _weights(folder / STATE)
    try:
        with torch.random.fork_rng(devices=[]):
            network = M3GNet(**sizes)
            potential = Potential(
                network, element_refs=np.zeros(len(elements)), calc_stresses=True, **terms
            )
        if "element_refs.property_offset" not in weights:
            weights["element_refs.property_offset"] = torch.zeros(len(elements))
        left = potential.load_state_dict(weights, strict=False)
    except (TypeError, ValueError, RuntimeError, KeyError) as error:
        found = " ".join(f"{type(error).__name__}: {error}".split())[:120]
        raise InputError(
            f"{folder}: expected weights of the model in {MODEL}, found {found}"
        ) from None
    named = {name for name, _ in potential.named_parameters()}
    absent = sorted(named & set(left.missing_keys))
    strange = [key for key in left.unexpected_keys if not key.endswith(".onehot")]  # of old matgl
    if absent or strange:
        found = f"none for {absent[0]}" if absent else f"one more, {strange[0]}"
        raise InputError(
            f"{folder / STATE}: expected weights of the model in {MODEL}, found {found}"
        )
    return potential.eval()


def _described(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Arguments of the network, and those of the potential around it, plain values only."""
    try:
        whole = json.loads(path.read_bytes())
        potential, model = whole["kwargs"], whole["kwargs"]["model"]
        names = (whole["@class"], model["@class"])
        sizes, version = dict(model["init_args"]), model["@model_version"]
        elements = sizes.get("element_types")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        found = " ".join(f"{type(error).__name__}: {error}".split())[:80]
        raise InputError(f"{path}: expected a model of matgl, found {found}") from None
    if names != ("Potential", "M3GNet"):
        raise InputError(f"{path}: expected a Potential with M3GNet, found {' with '.join(names)}")
    if version != M3GNet.__version__:
        raise InputError(
            f"{path}: expected M3GNet of version {M3GNet.__version__}, as matgl here has it, "
            f"found {version}"
        )
    if not isinstance(elements, list) or not all(isinstance(each, str) for each in elements):
        raise InputError(f"{path}: element_types: expected symbols, found {elements!r:.60}")
    known = set(inspect.signature(M3GNet.__init__).parameters) - {"self", "kwargs"}
    for key, value in sizes.items():
        if key not in known or not (key == "element_types" or isinstance(value, PLAIN)):
            raise InputError(
                f"{path}: {key}: expected a plain argument of M3GNet, found {value!r:.60}"
            )
    return {**sizes, "element_types": tuple(elements)}, {
        key: bool(potential[key]) for key in TERMS if key in potential
    }


def _weights(path: Path) -> dict[str, torch.Tensor]:
    """Tensors of a file; whatever else it holds is refused."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError) as error:
        found = " ".join(str(error).split())[:80]
        raise InputError(f"{path}: expected tensors and nothing else, found: {found}") from None
    if not isinstance(state, dict) or not all(torch.is_tensor(each) for each in state.values()):
        raise InputError(f"{path}: expected tensors and nothing else, found {type(state).__name__}")
    return dict(state)
