"""Potentials that are networks, small enough for tests."""

import numpy as np

from dismai.potentials.m3gnet.network import build, save
from dismai.potentials.m3gnet.settings import M3gnet


def network(kind, folder):
    """An entry of a network: CHGNet as it is, or an M3GNet that has learned nothing."""
    if kind == "chgnet":
        return {"kind": "chgnet"}
    settings = M3gnet(units=8, n_blocks=1)
    save(folder / "model.safetensors", build(["Si"], settings, np.zeros(1), 1.0, 0), settings)
    return {"kind": "m3gnet", "folder": str(folder)}
