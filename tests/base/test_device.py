"""Where networks compute: names, faults of the machine, arithmetic that is put back."""

import pytest
import torch

from dismai.base import device
from dismai.base.errors import InputError


def test_auto_is_the_gpu_where_there_is_one(monkeypatch):
    for there, found in ((True, "cuda"), (False, "cpu")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda there=there: there)
        assert device.resolved("auto") == found
        assert device.resolved("cpu") == "cpu"


def test_a_gpu_that_is_asked_for_and_is_not_there_is_an_input_error(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="expected a GPU, found none that torch"):
        device.resolved("cuda")


@pytest.mark.parametrize("name", ["gpu", "CPU", "", "cuda0", "cuda:", "tpu"])
def test_a_device_of_another_name_is_an_input_error(name):
    with pytest.raises(InputError, match=f"device '{name}': expected auto, cpu, cuda or cuda:N"):
        device.resolved(name)


@pytest.mark.parametrize(
    ("error", "of_memory", "of_machine"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), True, True),
        (MemoryError(), True, True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), True, True),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), False, True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"), False, True),
        (RuntimeError("no neighbours"), False, False),
        (ValueError("CUDA"), False, False),
    ],
)
def test_faults_of_the_machine_are_told_from_those_of_a_structure(error, of_memory, of_machine):
    assert device.is_out_of_memory(error) == of_memory
    assert device.is_fault_of_machine(error) == of_machine


@pytest.mark.parametrize(
    ("precision", "products", "convolutions"),
    [("32-true", "highest", False), ("tf32", "high", True), ("bf16-mixed", "high", True)],
)
def test_precision_holds_for_products_and_convolutions_and_is_put_back(
    monkeypatch, precision, products, convolutions
):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    before = torch.get_float32_matmul_precision()
    with device.arithmetic("cuda", precision, deterministic=True):
        assert torch.get_float32_matmul_precision() == products
        assert torch.backends.cudnn.allow_tf32 == convolutions
        assert torch.are_deterministic_algorithms_enabled()
    assert torch.get_float32_matmul_precision() == before
    assert torch.backends.cudnn.allow_tf32
    assert not torch.are_deterministic_algorithms_enabled()


def test_a_cpu_computes_as_ever(monkeypatch):
    before = torch.get_float32_matmul_precision()
    with device.arithmetic("cpu", "tf32", deterministic=True):
        assert torch.get_float32_matmul_precision() == before
        assert not torch.are_deterministic_algorithms_enabled()
