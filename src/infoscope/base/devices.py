"""On which device of PyTorch a computation runs: the one rule of all subpackages."""

from __future__ import annotations

from typing import Any

from .errors import DataError, ParameterError, require

NO_FLOAT64 = ("mps", "meta")


def choose_device(device: Any = None, *data: Any, float64: bool = True, name: str = "the tensor") -> Any:
    """The device to compute on: the one asked for, else that of the data.

    Parameters
    ----------
    device : None, str or torch.device
        "cpu", "cuda", "cuda:1" ...; None follows the data.
    *data : objects
        The tensors among them say where the data are; without any, that is "cpu".
    float64 : bool
        Whether the computation needs float64, which "mps" does not have.
    name : str
        What messages call the data.

    Returns
    -------
    torch.device
        With its index: "cuda" is the current one of several.

    Raises
    ------
    ParameterError
        If there is no such device, if it has no float64, or if tensors are on several devices and none is asked for.
    DataError
        If the data are on a device without float64.
    MissingExtraError
        If PyTorch is not installed.

    Examples
    --------
    >>> from infoscope.base import choose_device
    >>> choose_device(None, [1.0, 2.0])
    device(type='cpu')
    """
    torch = require("torch", "torch")
    if device is not None:
        try:
            chosen = torch.empty(0, device=device).device  # asks PyTorch itself, whatever devices it knows
        except (RuntimeError, AssertionError, TypeError, ValueError, ImportError):
            there = ["cpu", *(f"cuda:{number}" for number in range(torch.cuda.device_count()))]
            there += ["mps"] if torch.backends.mps.is_available() else []
            raise ParameterError(f"there is no device {device!r} here: pass one of {', '.join(there)}") from None
        if float64 and chosen.type in NO_FLOAT64:
            raise ParameterError(f"device {device!r} has no float64, which is needed here: pass device='cpu'")
        return chosen
    places = {item.device for item in data if isinstance(item, torch.Tensor)}
    if len(places) > 1:
        names = ", ".join(sorted(map(str, places)))
        raise ParameterError(f"tensors are on the devices {names}: move them to one with .to(...)")
    chosen = places.pop() if places else torch.device("cpu")
    if float64 and chosen.type in NO_FLOAT64:
        raise DataError(f"{name} is on device {chosen}, which has no float64: move it with .cpu()")
    return chosen
