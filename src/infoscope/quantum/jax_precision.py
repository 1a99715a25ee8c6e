"""jax as this subpackage uses it: float64 and the compilation cache within a context, never as a global switch."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from infoscope.base import ParameterError, require

LEAST_COMPILE_SECONDS = 0.2  # what is compiled faster than this is not kept on disk
# the emitters keep 250 MB of the process and a fifth of the time to the first step, for steps that are as fast without
LIGHT_COMPILER = {"xla_cpu_use_fusion_emitters": False}


def load_jax() -> Any:
    """The module jax, or an error that names the extra.

    Loading it draws numbers from NumPy's global generator, whose state is put back: users count on theirs.
    """
    if sys.modules.get("jax") is not None:  # None: importing it is forbidden
        return sys.modules["jax"]
    before = np.random.get_state(legacy=False)  # noqa: NPY002
    try:
        return require("jax", "quantum")
    finally:
        np.random.set_state(before)  # noqa: NPY002


def compiled(function: Any, **options: Any) -> Any:
    """`jax.jit`, with less memory and time for the compiler where this jax knows how.

    Parameters
    ----------
    function : callable
    **options
        Of `jax.jit`.
    """
    return load_jax().jit(function, compiler_options=compiler_options(), **options)


@lru_cache
def compiler_options() -> dict[str, bool] | None:
    """`LIGHT_COMPILER`, or None where the compiler of this jax has no such option."""
    jax = load_jax()
    try:
        jax.jit(lambda x: x, compiler_options=LIGHT_COMPILER).lower(0.0).compile()
    except jax.errors.JaxRuntimeError:
        return None
    return LIGHT_COMPILER


@contextmanager
def double_precision(on: bool = True) -> Iterator[None]:
    """float64 and the compilation cache for what runs inside; the user's own jax code sees no switch.

    Parameters
    ----------
    on : bool
        False: float32 networks.  The cache is used all the same.

    Raises
    ------
    ParameterError
        If this jax cannot compute in float64 here.
    """
    jax = load_jax()
    # older versions of jax have it elsewhere
    switch = jax.enable_x64 if hasattr(jax, "enable_x64") else jax.experimental.enable_x64
    with ExitStack() as inside:
        inside.enter_context(_compilation_cache(jax))
        inside.enter_context(switch(on))
        if on and jax.dtypes.canonicalize_dtype("float64") != "float64":
            raise ParameterError(
                "jax computes in float32 here although float64 was asked for: unset JAX_ENABLE_X64 and "
                'jax.config "jax_explicit_x64_dtypes", or use dtype="float32"'
            )
        yield


def cache_folder() -> Path:
    """Where compiled steps are kept: a folder of the user's cache; ``INFOSCOPE_JAX_CACHE`` names another one."""
    named = os.environ.get("INFOSCOPE_JAX_CACHE")
    if named:
        return Path(named)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "infoscope" / "jax"


@contextmanager
def _compilation_cache(jax: Any) -> Iterator[None]:
    """jax's persistent cache in our folder while this lasts, unless the user has one; a folder that cannot be made is
    no error: then nothing is kept."""
    config = jax.config
    if config.jax_compilation_cache_dir:
        yield
        return
    try:
        folder = cache_folder()
        folder.mkdir(parents=True, exist_ok=True)
        writable = os.access(folder, os.W_OK)
    except (OSError, RuntimeError):
        writable = False
    if not writable:
        yield
        return
    from jax.experimental.compilation_cache.compilation_cache import reset_cache

    seconds = config.jax_persistent_cache_min_compile_time_secs
    config.update("jax_compilation_cache_dir", str(folder))
    config.update("jax_persistent_cache_min_compile_time_secs", LEAST_COMPILE_SECONDS)
    reset_cache()  # jax looks once whether there is a cache: let it look again, here and afterwards
    try:
        yield
    finally:
        config.update("jax_compilation_cache_dir", None)
        config.update("jax_persistent_cache_min_compile_time_secs", seconds)
        reset_cache()
