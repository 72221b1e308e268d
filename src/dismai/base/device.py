"""Where networks compute, what it is called, and which faults are the machine's. Torch is lazy."""

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dismai.base.errors import InputError

logger = logging.getLogger(__name__)

MACHINE_FAULTS = ("CUDA", "cuDNN", "CUBLAS", "NVML", "HIP error")
"""Words in the message of a RuntimeError that comes from a GPU and not from what it computed."""
OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "CUBLAS_STATUS_ALLOC_FAILED")


def resolved(name: str) -> str:
    """The device that a name stands for: `auto` is cuda where there is a GPU, else cpu.

    Raises:
        InputError: no device of torch here, or cuda where torch finds no GPU.
    """
    if name == "cpu":
        return name
    if name != "auto" and not re.fullmatch(r"cuda(:\d+)?", name):
        raise InputError(f"device {name!r}: expected auto, cpu, cuda or cuda:N")
    import torch

    there = torch.cuda.is_available()
    if name == "auto":
        return "cuda" if there else "cpu"
    if name.startswith("cuda") and not there:
        raise InputError(
            f"device: expected a GPU, found none that torch {torch.__version__} can use; "
            "DISMAI_CPU=1 in the environment lets the CPU compute"
        )
    return name


def described(device: str) -> str:
    """A device for the log: the GPU with its driver's software, or the threads of the CPU."""
    import torch

    if device.startswith("cuda"):
        software = f"torch {torch.__version__}, CUDA {torch.version.cuda}"
        return f"{torch.cuda.get_device_name(device)} ({software})"
    if device == "cpu":
        return f"the CPU ({torch.get_num_threads()} threads, torch {torch.__version__})"
    return device


def say(device: str) -> None:
    """Tell the log where it is computed."""
    logger.info("computing on %s", described(device))


def threads_that_count(device: str) -> int | None:
    """Threads on which the bytes of a result depend; on a GPU they do not."""
    import torch

    return torch.get_num_threads() if device == "cpu" else None


def compute_on_cpu() -> bool:
    """Whether the user keeps everything on the CPU, by DISMAI_CPU=1 in the environment."""
    return os.environ.get("DISMAI_CPU", "0") not in ("", "0")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the memory of the device did not suffice."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(word in str(error) for word in OUT_OF_MEMORY)


def is_fault_of_machine(error: BaseException) -> bool:
    """Whether an exception says something about the machine, not about what it computed on."""
    if is_out_of_memory(error) or type(error).__name__ == "AcceleratorError":
        return True
    return isinstance(error, RuntimeError) and any(word in str(error) for word in MACHINE_FAULTS)


def free_memory(device: Any) -> None:
    """Give back what a failed attempt on a GPU left in torch's cache."""
    if str(device).startswith("cuda"):
        import torch

        if torch.cuda.is_initialized():
            torch.cuda.empty_cache()


def sent(x: Any, device: Any) -> Any:
    """A tensor of the host on a device; a GPU takes it while the host goes on."""
    if str(device).startswith("cuda"):
        return x.pin_memory().to(device, non_blocking=True)
    return x.to(device)


@contextmanager
def arithmetic(device: str, precision: str, deterministic: bool = False) -> Iterator[None]:
    """How a GPU computes while this lasts; a CPU is left as it is.

    Args:
        device: as `resolved` gives it.
        precision: 32-true keeps all products of 32-bit numbers exact; any other one lets matrix
            products and convolutions round their factors to 10 bits (TF32).
        deterministic: only kernels whose result does not depend on the order of threads.
    """
    if not device.startswith("cuda"):
        yield
        return
    import torch

    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    tried = torch.backends.cudnn.benchmark
    strict = torch.are_deterministic_algorithms_enabled()
    rounded = precision != "32-true"
    torch.set_float32_matmul_precision("high" if rounded else "highest")
    torch.backends.cudnn.allow_tf32 = rounded
    torch.backends.cudnn.benchmark = not deterministic  # the fastest convolution of each shape
    if deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # before cuBLAS is started
        torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before[0])
        torch.backends.cudnn.allow_tf32 = before[1]
        torch.backends.cudnn.benchmark = tried
        torch.use_deterministic_algorithms(strict)
