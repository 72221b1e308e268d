"""Leaky ReLU for critics whose gradient is differentiated again, by a gradient penalty."""

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx


def leaky_relu(x: Tensor, slope: float) -> Tensor:
    """max(x, slope x), for 0 < slope < 1.

    Its second derivative is zero. Torch's own sends an array of zeros through the whole network
    for it, which costs as much as another backward pass; here nothing is sent.
    """
    if torch.compiler.is_compiling():  # fused there, and a function of its own is not traced
        return x * torch.where(x.detach() > 0, 1.0, slope)
    return _LeakyRelu.apply(x, slope)


class _LeakyRelu(torch.autograd.Function):
    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, slope: float) -> Tensor:
        y = torch.nn.functional.leaky_relu(x, slope)
        ctx.save_for_backward(y)
        ctx.slope = slope
        return y

    @staticmethod
    def backward(ctx: FunctionCtx, gradient: Tensor) -> tuple[Tensor, None]:
        (y,) = ctx.saved_tensors  # of the same sign as x
        return torch.ops.aten.leaky_relu_backward(gradient, y.detach(), ctx.slope, False), None
