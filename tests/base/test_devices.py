"""The device to compute on, on machines with and without a GPU."""

import sys

import numpy as np
import pytest

from infoscope import Space
from infoscope.base import DataError, MissingExtraError, ParameterError, choose_device
from infoscope.imbalance import batch_ranks

torch = pytest.importorskip("torch")
gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
without_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="asks for a GPU where there is none")
CPU = torch.device("cpu")


@pytest.mark.parametrize("data", [(), ([1.0],), (np.zeros(3), None), (torch.zeros(2),), (torch.zeros(2), [1.0])])
def test_none_follows_the_data(data):
    assert choose_device(None, *data) == CPU


def test_one_asked_for_wins():
    for device in ("cpu", CPU):
        assert choose_device(device, torch.zeros(2, device="meta")) == CPU
    assert choose_device("meta", float64=False).type == "meta"


@pytest.mark.parametrize(
    "device", ["gpu", "cuda:x", 3.5, "cpu:1:2", pytest.param("cuda", marks=without_gpu), "cuda:99"]
)
def test_absent_and_unknown_devices(device):
    with pytest.raises(ParameterError, match=f"no device {device!r} here: pass one of cpu"):
        choose_device(device)


def test_the_error_lists_what_there_is(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    with pytest.raises(ParameterError, match="pass one of cpu, cuda:0, cuda:1, mps$"):
        choose_device("cuda:7")


def test_devices_without_float64():
    with pytest.raises(ParameterError, match="'meta' has no float64.*device='cpu'"):
        choose_device("meta")
    here = torch.zeros(2, device="meta")
    with pytest.raises(DataError, match=r"A is on device meta, which has no float64.*\.cpu\(\)"):
        choose_device(None, here, name="A")
    assert choose_device(None, here, float64=False) == here.device


def test_several_devices():
    with pytest.raises(ParameterError, match="cpu, meta"):
        choose_device(None, torch.zeros(1), torch.zeros(1, device="meta"))


def test_without_pytorch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r"infoscope\[torch\]"):
        choose_device("cpu")


def test_where_it_is_used():
    x = np.random.default_rng(0).normal(size=(9, 2))
    assert batch_ranks(x).device == batch_ranks(torch.tensor(x)).device == CPU
    for device, message in (("gpu", "no device 'gpu'"), ("meta", "no float64")):
        with pytest.raises(ParameterError, match=message):
            batch_ranks(x, device=device)
    with pytest.raises(DataError, match="A is on device meta"):
        Space(torch.zeros(3, 2, device="meta"), name="A")


@gpu
def test_on_a_gpu():
    last = f"cuda:{torch.cuda.device_count() - 1}"
    x = torch.zeros(3, 2, device=last)
    assert choose_device("cuda").index == torch.cuda.current_device()  # with its index, as tensors have it
    assert str(choose_device(last)) == str(choose_device(None, x)) == last
    assert choose_device("cpu", x) == CPU
    with pytest.raises(ParameterError, match=f"cpu, {last}"):
        choose_device(None, x, x.cpu())
