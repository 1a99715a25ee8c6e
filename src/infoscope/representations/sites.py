"""Where a network is listened to: blocks found by themselves, or modules by their names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import Any

from infoscope.base import DataError, ParameterError

EMBEDDING, OUTPUT = "embedding", "output"
FEWEST_BLOCKS = 2
FIELDS = ("last_hidden_state", "hidden_states", "logits")  # of what a model returns, the first there is


def find_blocks(model: Any) -> dict[str, Any]:
    """The blocks of a network by name: the longest list of modules in it, and others of the same kind beside it.

    Parameters
    ----------
    model : torch.nn.Module
        The network.

    Returns
    -------
    dict of name to module
        In the order of the network.

    Raises
    ------
    ParameterError
        If it has no list of modules.
    """
    import torch

    lists = {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, (torch.nn.ModuleList, torch.nn.Sequential)) and len(module) >= FEWEST_BLOCKS
    }
    if not lists:
        raise ParameterError(
            f"{type(model).__name__} has no list of blocks: name modules of model.named_modules(), as in "
            "layers=['*.mlp']"
        )
    longest = max(lists, key=lambda name: (len(lists[name]), -name.count(".")))
    kind = type(lists[longest][0])
    alike = [name for name in lists if name == longest or isinstance(lists[name][0], kind)]
    return {f"{name}.{i}": block for name in alike for i, block in enumerate(lists[name])}


def choose_sites(model: Any, layers: str | Sequence[str]) -> dict[str, Any]:
    """Modules to listen to: "all" blocks, or those whose names match.

    Raises
    ------
    ParameterError
        If nothing matches.
    """
    if layers == "all":
        return find_blocks(model)
    patterns = [layers] if isinstance(layers, str) else list(layers)
    modules = {name: module for name, module in model.named_modules() if name}
    found = {name: one for name, one in modules.items() if any(fnmatchcase(name, pattern) for pattern in patterns)}
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in modules):
            some = ", ".join(list(modules)[:6])
            raise ParameterError(f"layers names {pattern!r}, and no module matches: there are {some}, ...")
    return found


@contextmanager
def listening(sites: dict[str, Any], *, with_input: bool) -> Iterator[dict[str, Any]]:
    """A dict that holds, after every forward pass, what each site gave; with the input of the first one if asked."""
    heard: dict[str, Any] = {}
    handles = []

    def listener(name: str):
        def hear(_: Any, __: Any, output: Any) -> None:
            heard[name] = tensor_of(output, name)

        return hear

    def hear_input(_: Any, args: Any, kwargs: Any) -> None:
        heard[EMBEDDING] = tensor_of(args[0] if args else next(iter(kwargs.values())), EMBEDDING)

    try:
        if with_input:
            first = next(iter(sites.values()))
            handles.append(first.register_forward_pre_hook(hear_input, with_kwargs=True))
        handles += [module.register_forward_hook(listener(name)) for name, module in sites.items()]
        yield heard
    finally:
        for handle in handles:
            handle.remove()


def tensor_of(output: Any, name: str) -> Any:
    """States (items, tokens, features) or (items, features) of what a module returned: itself, or its first part."""
    import torch

    for _ in range(3):
        if isinstance(output, torch.Tensor):
            if output.ndim == 4:  # channels of a picture: places are its tokens
                output = output.flatten(2).transpose(1, 2)
            return output.detach()
        for field in FIELDS:
            if getattr(output, field, None) is not None:
                output = getattr(output, field)
                break
        else:
            if not isinstance(output, (tuple, list)) or not output:
                break
            output = output[0]
    raise DataError(f"{name} returns {type(output).__name__}, which holds no tensor of states: choose another site")
