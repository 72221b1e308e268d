"""How networks run on a device: arithmetic, layout of convolutions, compiled or not. Torch is lazy.

A network whose input has the same shape in every step, and which torch can trace as a whole, says
so by an attribute `compilable`.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dismai.base.device import arithmetic

logger = logging.getLogger(__name__)


@contextmanager
def running(
    module: Any, device: str, precision: str, *, deterministic: bool, compiles: bool
) -> Iterator[None]:
    """Let a module compute while this lasts.

    Args:
        module: of torch, in training or sampling.
        device: as `dismai.base.device.resolved` gives it.
        precision: as in `dismai.base.device.arithmetic`.
        deterministic: the same.
        compiles: compile the networks that are compilable, each anew for another shape.
    """
    if device.startswith("cuda") and precision != "32-true":
        channels_last(module)
    parts = [one for one in module.modules() if getattr(one, "compilable", False)]
    with arithmetic(device, precision, deterministic):
        if not compiles or not parts:
            yield
            return
        logger.info("networks are compiled in their first steps, which takes minutes")
        for part in parts:
            part.compile(dynamic=False, **compiler(device))
        try:
            yield
        finally:
            for part in parts:
                part._compiled_call_impl = None  # torch has no public way back


def compiler(device: str) -> dict[str, Any]:
    """How torch compiles; on a GPU a step is recorded once (CUDA graphs) and played back."""
    return {"mode": "reduce-overhead"} if device.startswith("cuda") else {}


def channels_last(module: Any) -> None:
    """Lay out convolutions of pictures as matrix units of a GPU read them; values stay."""
    import torch

    for layer in module.modules():
        if isinstance(layer, torch.nn.Conv2d):
            layer.to(memory_format=torch.channels_last)
