"""Data-parallel training: processes that each compute a part of the structures of every batch.

All of them draw the same noise and see the same whole batch. A network that is `compilable` gets
the rows of its process alone, and what it gives is gathered from all; so the losses are the same
everywhere, and gradients of the network's weights are parts of one sum. Everything else is computed
by every process. Results are those of one process but for the order of sums.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import torch.distributed as dist
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor, nn
from torch.utils._pytree import tree_map


@dataclass(frozen=True)
class Group:
    """The processes of one training, and which of them this is; 0 leads and writes files."""

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        return self.rank == 0

    def rows(self, n: int, rank: int | None = None) -> slice:
        """Structures of a batch of n that a process, by default this one, computes."""
        rank = self.rank if rank is None else rank
        return slice(rank * n // self.size, (rank + 1) * n // self.size)

    def told(self, value: Any) -> Any:
        """What the leading process holds as its value."""
        if self.size == 1:
            return value
        values = [value]
        dist.broadcast_object_list(values, src=0)
        return values[0]


ALONE = Group()


@contextmanager
def sharing(module: nn.Module, group: Group) -> Iterator[list[Callback]]:
    """Share the networks of a module while this lasts; gives the callbacks of its training."""
    if group.size == 1:
        yield []
        return
    parts = [part for part in module.modules() if getattr(part, "compilable", False)]
    for part in parts:
        part.forward = partial(_forward, part.forward, group)
    try:
        yield [SumOfGradients(parts, group)]
    finally:
        for part in parts:
            del part.forward


def _forward(network: Any, group: Group, *inputs: Tensor | None) -> Any:
    """What a network gives for a batch, of which this process computes its own rows."""
    n = len(inputs[0])
    rows = group.rows(n)
    n_own = rows.stop - rows.start
    # A process without a row computes the first one for nothing: its gradients are zero.
    seen = rows if n_own else slice(0, 1)
    given = network(*(None if x is None else x[seen] for x in inputs))
    return tree_map(lambda y: _Gathered.apply(y[:n_own], group, n), given)


class _Gathered(torch.autograd.Function):
    """Rows of all processes; as all have the same loss, each takes the gradient of its own."""

    @staticmethod
    def forward(ctx: Any, own: Tensor, group: Group, n: int) -> Tensor:
        ctx.rows = group.rows(n)
        most = -(-n // group.size)
        padded = own.new_zeros(most, *own.shape[1:])
        padded[: len(own)] = own
        parts = [torch.empty_like(padded) for _ in range(group.size)]
        dist.all_gather(parts, padded)
        rows = (group.rows(n, rank) for rank in range(group.size))
        return torch.cat([p[: r.stop - r.start] for p, r in zip(parts, rows, strict=True)])

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        return gradient[ctx.rows], None, None


class SumOfGradients(Callback):
    """Adds up the gradients of shared networks; those of the rest are the same, but for rounding.

    Their mean keeps the weights of all processes the same to the last bit.
    """

    def __init__(self, parts: list[nn.Module], group: Group):
        self.size = group.size
        self.shared = {id(weight) for part in parts for weight in part.parameters()}

    def on_before_optimizer_step(
        self, trainer: Trainer, pl_module: LightningModule, optimizer: torch.optim.Optimizer
    ) -> None:
        weights = [w for group in optimizer.param_groups for w in group["params"]]
        weights = [weight for weight in weights if weight.grad is not None]
        if not weights:
            return
        for weight in weights:
            if id(weight) not in self.shared:
                weight.grad /= self.size
        together = torch.cat([weight.grad.flatten() for weight in weights])
        dist.all_reduce(together)
        ends = together.split([weight.numel() for weight in weights])
        for weight, gradient in zip(weights, ends, strict=True):
            weight.grad.copy_(gradient.view_as(weight))
