"""A pretended GPU: tensors that say they lie on cuda:0, computed on the CPU, with its faults.

Operands of two devices are refused as a GPU refuses them, and every moment at which the host would
wait for the GPU is noted by place. The numbers are the CPU's, so results can be compared to the
byte. What it cannot show: the kernels of a GPU, their order of sums, and its memory.
"""

import collections
import contextlib
import traceback
from types import SimpleNamespace

import lightning.fabric.utilities.device_dtype_mixin as mixin
import torch
from lightning.pytorch import Trainer
from lightning.pytorch.accelerators import CPUAccelerator
from lightning.pytorch.strategies import SingleDeviceStrategy
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_leaves, tree_map

GPU = torch.device("cuda", 0)
WAITS = {"_local_scalar_dense", "item", "equal", "is_nonzero"}
"""Operations that bring a number to the host."""
SIZED_BY_DATA = {"nonzero", "_unique2", "unique_dim", "masked_select", "bincount"}
"""Operations whose result has a size that only the device knows."""
TAKES_CPU_INDICES = {"index", "index_put", "index_put_", "_index_put_impl_"}
NO_EXCEPTION_FOR_NUMBERS = {"cat", "stack", "_foreach_lerp_"}
"""Operations that refuse a tensor of no dimension on the CPU, too."""
FACTORIES = {
    getattr(torch, name)
    for name in "tensor as_tensor arange zeros ones full eye linspace empty rand randn".split()
}


class OnGpu(torch.Tensor):
    """A tensor of the pretended GPU; `held` is the tensor of the CPU that has its numbers."""

    @staticmethod
    def __new__(cls, held):
        made = torch.Tensor._make_wrapper_subclass(
            cls,
            held.shape,
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            layout=held.layout,
            device="meta",
            requires_grad=False,
        )
        made.held = held
        return made

    device = property(lambda self: GPU)
    is_cuda = property(lambda self: True)
    is_cpu = property(lambda self: False)
    is_meta = property(lambda self: False)
    __torch_function__ = torch._C._disabled_torch_function_impl

    def __repr__(self):
        return f"OnGpu({tuple(self.shape)}, {self.dtype})"

    def __tensor_flatten__(self):
        return ["held"], None

    @staticmethod
    def __tensor_unflatten__(inner, context, size, stride):
        return OnGpu(inner["held"])

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        raise RuntimeError(f"{func} on the pretended GPU, which is switched off")


def held(value):
    """What the CPU holds of a value."""
    return value.held if isinstance(value, OnGpu) else value


def on_gpu(value):
    """The value on the pretended GPU if it is a tensor."""
    return (
        OnGpu(value) if isinstance(value, torch.Tensor) and not isinstance(value, OnGpu) else value
    )


def is_gpu(device):
    """Whether a device, by object or name, is the GPU; meta is what its tensors really say."""
    return device is not None and torch.device(device).type in ("cuda", "meta")


class Waits:
    """Places where the host waits for the device: function of this package to number of times."""

    def __init__(self):
        self.places = collections.Counter()

    def note(self):
        """Note the innermost function of this package; waits of libraries belong to it."""
        for frame in reversed(traceback.extract_stack()):
            if "/dismai/" in frame.filename and not frame.name.startswith("<"):
                file = frame.filename.split("/dismai/")[-1]
                self.places[f"{file}:{frame.name}"] += 1
                return


class Arithmetic(TorchDispatchMode):
    """Computes on what the CPU holds; refuses operands of two devices."""

    def __init__(self, waits):
        super().__init__()
        self.waits = waits

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs, name = dict(kwargs or {}), func._schema.name.split("::")[-1]
        tensors = [x for x in tree_leaves((args, kwargs)) if isinstance(x, torch.Tensor)]
        ours = [x for x in tensors if isinstance(x, OnGpu)]
        others = [x for x in tensors if not isinstance(x, OnGpu)]
        if name == "_to_copy":
            return self._copied(func, args, kwargs)
        if ours and name != "copy_":
            self._refuse_mixtures(name, others)
        goes = is_gpu(kwargs.get("device"))
        if not ours and not goes:
            return func(*args, **kwargs)
        if kwargs.get("device") is not None:
            kwargs["device"] = torch.device("cpu")
        plain, plain_kwargs = tree_map(held, args), tree_map(held, kwargs)
        if name in WAITS:
            self.waits.note()
            return func(*plain, **plain_kwargs)
        masks = name in TAKES_CPU_INDICES and any(
            isinstance(x, OnGpu) and x.dtype == torch.bool for x in tree_leaves(args[1])
        )
        if name in SIZED_BY_DATA or masks:
            self.waits.note()
        found = tree_map(on_gpu, func(*plain, **plain_kwargs))
        return return_and_correct_aliasing(func, args, kwargs, found)

    def _refuse_mixtures(self, name, others):
        strict = name in NO_EXCEPTION_FOR_NUMBERS
        mixed = [x for x in others if strict or (x.dim() > 0 and x.device.type != "meta")]
        if mixed and name in TAKES_CPU_INDICES:
            self.waits.note()  # indices of the CPU are taken, and copied
        elif mixed:
            raise RuntimeError(
                f"Expected all tensors to be on the same device, {name} got cuda:0 and cpu "
                f"of shapes {[tuple(x.shape) for x in mixed]}"
            )

    def _copied(self, func, args, kwargs):
        source = args[0]
        goes = isinstance(source, OnGpu)
        if kwargs.get("device") is not None:
            goes, kwargs["device"] = is_gpu(kwargs["device"]), torch.device("cpu")
        kwargs.pop("pin_memory", None)
        if goes != isinstance(source, OnGpu) and not kwargs.get("non_blocking"):
            self.waits.note()
        found = func(held(source), **kwargs)
        return on_gpu(found) if goes else found


class Calls(TorchFunctionMode):
    """What Python asks for by device: factories, `.to`, `.cpu`, `.tolist`, `.numpy`."""

    def __init__(self, waits):
        super().__init__()
        self.waits = waits

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        first = args[0] if args else None
        if func in FACTORIES and is_gpu(kwargs.get("device")):
            if func in (torch.tensor, torch.as_tensor):
                self.waits.note()
            return on_gpu(func(*tree_map(held, args), **{**kwargs, "device": "cpu"}))
        if func is torch.Tensor.to:
            return self._to(func, args, kwargs)
        if func is torch.Tensor.pin_memory:
            return first
        if isinstance(first, OnGpu):
            if func is torch.Tensor.cpu:
                self.waits.note()
                return first.held.detach().clone()
            if func is torch.Tensor.tolist:
                self.waits.note()
                return first.held.tolist()
            if func is torch.Tensor.numpy:
                raise TypeError("can't convert cuda:0 device type tensor to numpy")
            if func in (torch.Tensor.__getitem__, torch.Tensor.__setitem__):
                args = first, self._sent(args[1]), *args[2:]
        if func is torch.where and len(args) == 3:
            args = self._with_tensors(args)
        return func(*args, **kwargs)

    def _sent(self, index):
        """An index whose lists are on the device."""
        if isinstance(index, tuple):
            return tuple(self._sent(part) for part in index)
        if not isinstance(index, list):
            return index
        self.waits.note()
        return on_gpu(torch.tensor(index))

    def _with_tensors(self, args):
        """Numbers among the arguments of `where` as tensors, which go with either device."""
        dtype = next((x.dtype for x in args[1:] if isinstance(x, torch.Tensor)), None)
        return args[0], *(
            x if isinstance(x, torch.Tensor) else torch.full((), x, dtype=dtype) for x in args[1:]
        )

    def _to(self, func, args, kwargs):
        source, target, dtype = args[0], None, kwargs.get("dtype")
        for value in (*args[1:], kwargs.get("device")):
            if isinstance(value, torch.device | str):
                target = torch.device(value)
            elif isinstance(value, torch.dtype):
                dtype = value
            elif isinstance(value, torch.Tensor):
                target, dtype = value.device, value.dtype
        if target is None or is_gpu(target) == isinstance(source, OnGpu):
            return source if dtype is None else func(source, dtype)
        if not kwargs.get("non_blocking"):
            self.waits.note()
        moved = held(source).detach().clone()
        moved = moved if dtype is None else moved.to(dtype)
        moved = on_gpu(moved) if is_gpu(target) else moved
        return moved.requires_grad_(source.requires_grad)  # a leaf, where a GPU goes on to the CPU


def move(module, device):
    """What `Module.to` does, which knows no such tensors."""
    change = on_gpu if is_gpu(device) else held
    for part in module.modules():
        for name, parameter in part._parameters.items():
            if parameter is not None:
                numbers = change(held(parameter.detach()).clone())
                part._parameters[name] = torch.nn.Parameter(numbers, parameter.requires_grad)
        for name, buffer in part._buffers.items():
            if buffer is not None:
                part._buffers[name] = change(held(buffer.detach()).clone())
        if hasattr(part, "_device"):
            part._device = torch.device(device)
    return module


class _Accelerator(CPUAccelerator):
    def setup_device(self, device):
        pass


def trainer_on_gpu(accelerator, devices, **settings):
    """A Lightning Trainer that moves batches and modules to the pretended GPU."""
    if accelerator == "cpu":
        return Trainer(accelerator=accelerator, devices=devices, **settings)
    strategy = SingleDeviceStrategy(accelerator=_Accelerator(), device=GPU)
    return Trainer(strategy=strategy, **settings)


@contextlib.contextmanager
def pretended_gpu(monkeypatch):
    """A machine with one GPU; gives the waits that are noted."""
    plain_to = torch.nn.Module.to

    def to(self, *args, **kwargs):
        target = args[0] if args else kwargs.get("device")
        if isinstance(target, torch.device | str):
            return move(self, target)
        return plain_to(self, *args, **kwargs)

    waits = Waits()
    with monkeypatch.context() as patch:
        patch.setattr(torch.nn.Module, "to", to)
        patch.setattr(mixin._DeviceDtypeModuleMixin, "to", to)
        patch.setattr(torch.cuda, "is_available", lambda: True)
        patch.setattr(torch.cuda, "get_device_name", lambda *_: "pretended GPU")
        memory = SimpleNamespace(total_memory=1 << 30)
        patch.setattr(torch.cuda, "get_device_properties", lambda *_: memory)
        patch.setattr("dismai.training.run.Trainer", trainer_on_gpu)
        with Calls(waits), Arithmetic(waits):
            yield waits
