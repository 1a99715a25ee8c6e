"""One typed door to numba: every compiled kernel of the library goes through `kernel`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from os import stat
from types import ModuleType
from typing import Any, TypeVar, overload

from .compilation import watch_compilation

Function = TypeVar("Function", bound=Callable[..., Any])


@overload
def kernel(function: Function, *, inline: str = "never", references: bool = True, inner: bool = False) -> Function: ...
@overload
def kernel(
    function: None = None, *, inline: str = "never", references: bool = True, inner: bool = False
) -> Callable[[Function], Function]: ...
def kernel(function: Any = None, *, inline: str = "never", references: bool = True, inner: bool = False) -> Any:
    """Compile a function with numba: no GIL, cached on disk, divisions as in NumPy (no exception for x / 0).

    What is kept on disk is forgotten when the file of the kernel changes, or that of another kernel that it calls.

    Parameters
    ----------
    function : callable, optional
        The function to compile; without it a decorator is returned.
    inline : {"never", "always"}
        Whether the function becomes part of the kernels that call it, and is `inner`.  LLVM does that: numba's own
        inlining copies the source into every call and finds its types anew, which takes several times as long.
    references : bool
        Whether references to arrays are counted.  Without, a kernel can make no arrays, and one that is called millions
        of times with many of them is several times faster.
    inner : bool
        Whether only other kernels call the function: it is compiled without what Python needs to call it.

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
        return lambda f: kernel(f, inline=inline, references=references, inner=inner)
    options: dict[str, Any] = dict(nogil=True, error_model="numpy")
    if inline == "always":
        options["forceinline"] = True
    inner = inner or inline == "always"
    if inner:
        options.update(no_cpython_wrapper=True, no_cfunc_wrapper=True)
    if not references:
        options["_nrt"] = False
    compiled = _forgetting_constants(njit(**options)(function))
    if inner:
        _for_kernels_alone(compiled)
    try:
        compiled._cache = _cache_class()(function)
    except RuntimeError:  # "cannot cache function": no folder is writable, or the source is not in a file
        return compiled
    return _keeping_on(_watching_callees(compiled))


@functools.cache
def _cache_class() -> Any:
    """Numba's cache of functions, but in NUMBA_CACHE_DIR or the user's folder for caches before that of the source.

    Compiled code beside the sources would stay when the package is uninstalled, as folders that can be imported.
    """
    from numba.core.caching import CompileResultCacheImpl, FunctionCache

    places = sorted(CompileResultCacheImpl._locator_classes, key=lambda place: "InTree" in place.__name__)
    own = type("_UserCacheImpl", (CompileResultCacheImpl,), {"_locator_classes": places})
    return type("_UserCache", (FunctionCache,), {"_impl_class": own})


def _forgetting_constants(compiled: Any) -> Any:
    """A constant has the type of its kind: numba compiles a kernel once more for each that another kernel gives it."""
    from numba.core import types

    get = compiled.get_call_template

    def get_call_template(args: Any, kws: Any) -> Any:
        return get(tuple(map(types.unliteral, args)), {name: types.unliteral(kind) for name, kind in kws.items()})

    compiled.get_call_template = get_call_template
    return compiled


def _for_kernels_alone(compiled: Any) -> None:
    """Python is refused, where numba would jump to a wrapper that is not there."""

    def keep(found: Any) -> None:
        compiled.overloads[tuple(found.signature.args)] = found

    def refuse(*args: Any, **options: Any) -> None:
        raise TypeError(f"{compiled.__name__} is an inner kernel: only other kernels call it")

    compiled.add_overload, compiled._compile_for_args = keep, refuse


def _watching_callees(compiled: Any) -> Any:
    """Numba looks whether the kernel's own file changed since its code was kept; code of its callees is in it too."""
    cache = getattr(compiled, "_cache", None)
    index: Any = getattr(cache, "_cache_file", None)
    load = getattr(cache, "load_overload", None)
    if not hasattr(index, "_source_stamp") or load is None:
        return compiled
    own = index._source_stamp

    def look_and_load(*given: Any) -> Any:
        # not earlier: kernels that stand below this one in its file are not there when it is decorated
        others = sorted(_files_of(compiled.py_func, set()) - {compiled.py_func.__code__.co_filename})
        if others:
            index._source_stamp = (own, *((at, stat(at).st_mtime, stat(at).st_size) for at in others))
        return load(*given)

    cache.load_overload = look_and_load  # type: ignore[union-attr]
    return compiled


def _files_of(function: Any, seen: set[Any]) -> set[str]:
    """The files of a function and of all kernels that it calls, by name or as attributes of modules."""
    seen.add(function)
    names = function.__code__.co_names
    found = [function.__globals__.get(name) for name in names]
    modules = [value for value in found if isinstance(value, ModuleType)]
    found += [getattr(module, name, None) for module in modules for name in names]
    callees = {value.py_func for value in found if hasattr(value, "py_func") and value.py_func not in seen}
    return {function.__code__.co_filename}.union(*(_files_of(callee, seen) for callee in callees - seen))


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
