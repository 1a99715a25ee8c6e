"""float64 and the compilation cache are there inside, and the user's own jax code sees nothing of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from infoscope.base import ParameterError
from infoscope.quantum import jax_precision
from infoscope.quantum.jax_precision import cache_folder, compiled, compiler_options, double_precision

jax = pytest.importorskip("jax")


def test_inside_and_outside(tmp_path, monkeypatch):
    monkeypatch.setenv("INFOSCOPE_JAX_CACHE", str(tmp_path / "cache"))
    seconds = jax.config.jax_persistent_cache_min_compile_time_secs
    with double_precision():
        assert jax.numpy.asarray(1.0).dtype == "float64"
        assert jax.config.jax_compilation_cache_dir == str(tmp_path / "cache")
    assert jax.numpy.asarray(1.0).dtype == "float32" and jax.config.jax_compilation_cache_dir is None
    assert jax.config.jax_persistent_cache_min_compile_time_secs == seconds


def test_after_an_error_too():
    with pytest.raises(RuntimeError, match="within"), double_precision():
        raise RuntimeError("within")
    assert not jax.config.jax_enable_x64 and jax.config.jax_compilation_cache_dir is None


def test_a_cache_of_the_user_stays(tmp_path):
    jax.config.update("jax_compilation_cache_dir", str(tmp_path))
    try:
        with double_precision():
            assert jax.config.jax_compilation_cache_dir == str(tmp_path)
        assert jax.config.jax_compilation_cache_dir == str(tmp_path)
    finally:
        jax.config.update("jax_compilation_cache_dir", None)


def test_a_folder_that_cannot_be_made_is_no_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("INFOSCOPE_JAX_CACHE", str(tmp_path / "file" / "cache"))
    with double_precision():
        assert jax.config.jax_compilation_cache_dir is None


def test_jax_without_float64(monkeypatch):
    monkeypatch.setattr(jax.dtypes, "canonicalize_dtype", lambda kind: "float32")
    with pytest.raises(ParameterError, match="computes in float32 here"), double_precision():
        pass


def test_the_folder_is_in_the_users_cache(monkeypatch):
    monkeypatch.delenv("INFOSCOPE_JAX_CACHE", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache_folder() == Path("/somewhere/infoscope/jax")


def test_an_option_that_the_compiler_does_not_know_is_left_out(monkeypatch):
    """Compilers of other versions of jax name their options otherwise: everything runs all the same."""
    try:
        monkeypatch.setattr(jax_precision, "LIGHT_COMPILER", {"xla_cpu_has_no_such_option": False})
        compiler_options.cache_clear()
        assert compiler_options() is None
        assert float(compiled(lambda x: 2 * x)(3.0)) == 6.0
    finally:
        compiler_options.cache_clear()
