"""Where a network is listened to: blocks found by themselves, or modules by their names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
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


def choose_sites(model: Any, layers: str | Sequence[str], prefix: str = "", what: str = "module") -> dict[str, Any]:
    """Modules to listen to: "all" blocks, or those whose names match; names begin with the `prefix` of the model.

    Raises
    ------
    ParameterError
        If nothing matches.
    """
    if layers == "all":
        return find_blocks(model)
    patterns = [layers] if isinstance(layers, str) else list(layers)
    before = f"{prefix}." if prefix else ""
    modules = {f"{before}{name}": module for name, module in model.named_modules() if name}
    found = {name: one for name, one in modules.items() if any(fnmatchcase(name, pattern) for pattern in patterns)}
    for pattern in patterns:
        refuse_unmatched(pattern, modules, what)
    return found


def refuse_unmatched(pattern: str, names: Iterable[str], what: str) -> None:
    """Raise where no name matches a pattern."""
    known = list(names)
    if not any(fnmatchcase(name, pattern) for name in known):
        raise ParameterError(f"layers names {pattern!r}, and no {what} matches: there are {', '.join(known[:6])}, ...")


@contextmanager
def listening(listeners: Iterable[tuple[Any, bool, Callable[[Any], None]]]) -> Iterator[None]:
    """Call functions with what modules return, or with their input, in every forward pass until the end."""
    handles = []

    def after(take: Callable[[Any], None]) -> Callable[..., None]:
        def hear(_: Any, __: Any, output: Any) -> None:
            take(output)

        return hear

    def before(take: Callable[[Any], None]) -> Callable[..., None]:
        def hear(_: Any, args: Any, kwargs: Any) -> None:
            take(args[0] if args else next(iter(kwargs.values())))

        return hear

    try:
        for module, of_input, take in listeners:
            if of_input:
                handles.append(module.register_forward_pre_hook(before(take), with_kwargs=True))
            else:
                handles.append(module.register_forward_hook(after(take)))
        yield
    finally:
        for handle in handles:
            handle.remove()


def tensor_of(output: Any, name: str) -> tuple[Any, bool]:
    """What a module returned, itself or its first part, and whether it was a picture of places.

    Returns
    -------
    tensor (items, tokens, features) or (items, features)
        Places of a picture are its tokens.
    bool
        Whether they were places.
    """
    import torch

    for _ in range(3):
        if isinstance(output, torch.Tensor):
            places = output.ndim == 4
            if places:
                output = output.flatten(2).transpose(1, 2)
            return output.detach(), places
        for field in FIELDS:
            if getattr(output, field, None) is not None:
                output = getattr(output, field)
                break
        else:
            if not isinstance(output, (tuple, list)) or not output:
                break
            output = output[0]
    raise DataError(f"{name} returns {type(output).__name__}, which holds no tensor of states: choose another site")
