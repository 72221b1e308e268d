"""Generation in batches that survive a kill, for models that take long to sample."""

import logging
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from dismai.base import kept
from dismai.base.device import (
    described,
    free_memory,
    is_out_of_memory,
    resolved,
    say,
    sent,
    threads_that_count,
)
from dismai.base.errors import InputError
from dismai.base.running import running
from dismai.base.versions import VERSIONS
from dismai.files.tensors import digest_tensors, read_tensors, write_tensors
from dismai.models.base import GenerativeModel

logger = logging.getLogger(__name__)


def torch_device(name: str) -> torch.device:
    """The device that auto, cpu or cuda stands for; the log is told."""
    device = resolved(name)
    say(device)
    return torch.device(device)


class Streams:
    """Random numbers of several structures, each from its own generator on the CPU."""

    def __init__(self, seeds: Iterable[int], device: torch.device):
        self.generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        self.device = device

    def only(self, which: Iterable[int]) -> "Streams":
        """The same streams of some of the structures; what they draw is drawn from these."""
        some = Streams((), self.device)
        some.generators = [self.generators[i] for i in which]
        return some

    def uniform(self, *shape: int) -> Tensor:
        """In [0, 1), (n_structures, *shape)."""
        drawn = [torch.rand(*shape, generator=random) for random in self.generators]
        return sent(torch.stack(drawn), self.device)

    def normal(self, *shape: int) -> Tensor:
        """Standard normal, (n_structures, *shape)."""
        drawn = [torch.randn(*shape, generator=random) for random in self.generators]
        return sent(torch.stack(drawn), self.device)


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
    on how many follow. Where the memory of a GPU does not hold it, its halves are drawn.

    Args:
        model: its hyperparameters, device and `state_folder` are used
        weights: of its networks
        n: number of structures
        seed: of this generation
        size: structures per batch
        draw: indices of structures to named tensors with them along the first dimension

    Returns:
        the same tensors with n structures
    """
    folder = model.state_folder
    device = resolved(model.device)
    identity = _digest(model, weights, seed, size, device) if folder else ""
    parts, halves = [], Halves(draw, device, size)

    def drawn(start: int) -> dict[str, Tensor]:
        part = halves.draw(range(start, start + size))
        logger.info("%d of %d structures are drawn", min(start + size, n), n)
        return part

    with running(
        getattr(model, "networks", nn.Module()),
        device,
        getattr(model.hparams, "precision", "32-true"),
        deterministic=model.deterministic,
        compiles=getattr(model.hparams, "compile", False),
    ):
        for start in range(0, n, size):
            make = partial(drawn, start)
            if folder:
                path = Path(folder) / f"samples{start:07d}.safetensors"
                parts.append(BATCHES.take_or_make(path, identity, make))
            else:
                parts.append(make())
    return joined(parts, n)


class Halves:
    """Draws batches, in halves once the memory of the device has not sufficed.

    draw: as in `draw_in_batches`.  most: structures that are drawn together.
    """

    def __init__(self, draw: Callable[[range], dict[str, Tensor]], device: str, most: int):
        self.draw_together, self.device, self.most = draw, device, most

    def draw(self, indices: range) -> dict[str, Tensor]:
        """Named tensors of structures, on the CPU; the error of memory if one is too large."""
        if len(indices) > self.most:
            first, second = indices[: self.most], indices[self.most :]
            return joined([self.draw(first), self.draw(second)], len(indices))
        try:
            return {name: value.cpu() for name, value in self.draw_together(indices).items()}
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            if len(indices) == 1:
                raise InputError(
                    f"sampling: expected that one structure fits the memory of "
                    f"{described(self.device)}, found that it does not"
                ) from None
        free_memory(self.device)  # out of the except clause, which holds on to the tensors
        self.most = (len(indices) + 1) // 2
        logger.warning(
            "%d structures together do not fit the memory: from here on %d are drawn together; "
            "sampling_batch: %d avoids the attempt",
            len(indices),
            self.most,
            self.most,
        )
        return self.draw(indices)


def joined(parts: list[dict[str, Tensor]], n: int) -> dict[str, Tensor]:
    """The first n structures of parts that follow each other."""
    return {name: torch.cat([part[name] for part in parts])[:n] for name in parts[0]}


def _read_batch(path: Path) -> tuple[dict[str, Tensor], str]:
    if not path.exists():
        raise FileNotFoundError(path)
    tensors, document = read_tensors(path)
    return tensors, document["made_for"]


def _write_batch(path: Path, tensors: dict[str, Tensor], made_for: str) -> None:
    write_tensors(path, tensors, {"made_for": made_for})


BATCHES = kept.Pieces("generation", "it is drawn afresh", _read_batch, _write_batch)


def _digest(
    model: GenerativeModel, weights: dict[str, Tensor], seed: int, size: int, device: str
) -> str:
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
        "threads": threads_that_count(device),
    }
    return kept.digest(identity)
