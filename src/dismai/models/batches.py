"""Generation in batches that survive a kill, for models that take long to sample."""

import hashlib
import json
import logging
from collections.abc import Callable, Iterable
from pathlib import Path

import torch
from torch import Tensor

from dismai.base import stopping
from dismai.base.errors import InputError
from dismai.base.versions import VERSIONS
from dismai.files.tensors import digest_tensors, read_tensors, write_tensors
from dismai.models.base import GenerativeModel

logger = logging.getLogger(__name__)


def torch_device(name: str) -> torch.device:
    """The device that Lightning's names auto, cpu, cuda, mps stand for."""
    if name != "auto":
        return torch.device(name)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Streams:
    """Random numbers of several structures, each from its own generator on the CPU."""

    def __init__(self, seeds: Iterable[int], device: torch.device):
        self.generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        self.device = device

    def uniform(self, *shape: int) -> Tensor:
        """In [0, 1), (n_structures, *shape)."""
        drawn = [torch.rand(*shape, generator=random) for random in self.generators]
        return torch.stack(drawn).to(self.device)

    def normal(self, *shape: int) -> Tensor:
        """Standard normal, (n_structures, *shape)."""
        drawn = [torch.randn(*shape, generator=random) for random in self.generators]
        return torch.stack(drawn).to(self.device)


def draw_in_batches(
    model: GenerativeModel,
    weights: dict[str, Tensor],
    n: int,
    seed: int,
    size: int,
    draw: Callable[[range], dict[str, Tensor]],
) -> dict[str, Tensor]:
    """Draw n structures; with a `model.state_folder`, batches drawn before a kill are read back.

    Every batch is drawn whole, also the last one, so that the bytes of a structure never depend
    on how many follow.

    Args:
        model: its hyperparameters and `state_folder` are used
        weights: of its networks
        n: number of structures
        seed: of this generation
        size: structures per batch
        draw: indices of `size` structures to named tensors with them along the first dimension

    Returns:
        the same tensors with n structures
    """
    folder = model.state_folder
    identity = _fingerprint(model, weights, seed, size) if folder else ""
    parts = []
    for start in range(0, n, size):
        path = Path(folder) / f"samples{start:07d}.safetensors" if folder else None
        part = _finished(path, identity) if path else None
        if part is None:
            part = {name: value.cpu() for name, value in draw(range(start, start + size)).items()}
            if path:
                path.parent.mkdir(parents=True, exist_ok=True)
                write_tensors(path, part, {"fingerprint": identity})
            logger.info("%d of %d structures are drawn", min(start + size, n), n)
            if path and start + size < n:
                stopping.leave_if_asked()
        parts.append(part)
    return {name: torch.cat([part[name] for part in parts])[:n] for name in parts[0]}


def _finished(path: Path, identity: str) -> dict[str, Tensor] | None:
    """A batch on disk, or None if it is missing, damaged or of another generation."""
    if not path.exists():
        return None
    try:
        tensors, document = read_tensors(path)
    except InputError as error:
        logger.warning("batch is damaged, drawing it again: %s", error)
        return None
    if document != {"fingerprint": identity}:
        logger.warning("%s belongs to another generation: it is drawn afresh", path)
        return None
    return tensors


def _fingerprint(model: GenerativeModel, weights: dict[str, Tensor], seed: int, size: int) -> str:
    """SHA-256 over everything that must be equal for batches to be used again."""
    weights = {name: value.detach().cpu().contiguous() for name, value in weights.items()}
    identity = {
        "model": model.architecture,
        "hparams": model.hparams.model_dump(mode="json"),
        "card": model.spec.model_dump(mode="json"),
        "weights": digest_tensors(weights, ""),
        "seed": seed,
        "size": size,
        "version": VERSIONS["generate"],
        "threads": torch.get_num_threads(),
    }
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
