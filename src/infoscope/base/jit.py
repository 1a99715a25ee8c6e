"""One typed door to numba: every compiled kernel of the library goes through `kernel`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, overload

from .compilation import watch_compilation

Function = TypeVar("Function", bound=Callable[..., Any])


@overload
def kernel(function: Function, *, inline: str = "never", references: bool = True) -> Function: ...
@overload
def kernel(
    function: None = None, *, inline: str = "never", references: bool = True
) -> Callable[[Function], Function]: ...
def kernel(function: Any = None, *, inline: str = "never", references: bool = True) -> Any:
    """Compile a function with numba: no GIL, cached on disk, divisions as in NumPy (no exception for x / 0).

    Kernels that call each other belong in one file: the cache notices changes of the file only.

    Parameters
    ----------
    function : callable, optional
        The function to compile; without it a decorator is returned.
    inline : {"never", "always"}
        Whether numba inlines the function where another kernel calls it.
    references : bool
        Whether references to arrays are counted.  Without, a kernel can make no arrays, and one that is called millions
        of times with many of them is several times faster.

    Returns
    -------
    callable
        The compiled function (compiled at its first call).

    Examples
    --------
    >>> from infoscope.base import kernel
    >>> @kernel
    ... def double(x):
    ...     return 2 * x
    >>> double(21)
    42
    """
    from numba import njit  # here, because importing numba takes longer than all the rest of this room

    watch_compilation()
    if function is None:
        return lambda f: kernel(f, inline=inline, references=references)
    options: dict[str, Any] = dict(nogil=True, error_model="numpy", inline=inline)
    if not references:
        options["_nrt"] = False
    try:
        # numba itself falls back to a folder of the user when the installation is read-only.
        return _keeping_on(njit(cache=True, **options)(function))
    except RuntimeError:  # "cannot cache function": no folder is writable, or the source is not in a file
        return njit(**options)(function)


def _keeping_on(compiled: Any) -> Any:
    """A full disk, where compiled code is kept for the next time, stops no computation."""
    cache = getattr(compiled, "_cache", None)
    save = getattr(cache, "save_overload", None)
    if save is None:
        return compiled

    def try_to_save(*given: Any) -> None:
        try:
            save(*given)
        except OSError as error:
            from .errors import InfoscopeWarning, warn

            folder = getattr(cache, "cache_path", "its folder")
            warn(f"{folder}: {error.strerror or error}; kernels are compiled anew the next time", InfoscopeWarning)

    cache.save_overload = try_to_save  # type: ignore[union-attr]
    return compiled
