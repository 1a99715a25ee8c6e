import pytest

from infoscope.base import (
    CorrelatedRowsWarning,
    DataError,
    DataWarning,
    InfoscopeError,
    InfoscopeWarning,
    MissingExtraError,
    ParameterError,
    require,
)


def test_bad_input_is_a_value_error_and_warnings_are_user_warnings():
    for error in (DataError, ParameterError):
        assert issubclass(error, InfoscopeError) and issubclass(error, ValueError)
    for warning in (DataWarning, CorrelatedRowsWarning):
        assert issubclass(warning, InfoscopeWarning) and issubclass(warning, UserWarning)


def test_require_returns_the_module():
    import json.decoder

    assert require("json.decoder", "files") is json.decoder


def test_require_names_the_extra():
    with pytest.raises(
        MissingExtraError, match=r'no_such_module_xyz is not installed.*pip install "infoscope\[files\]"'
    ):
        require("no_such_module_xyz.part", "files")


def test_require_names_what_an_installed_module_misses(tmp_path, monkeypatch):
    (tmp_path / "half_installed_xyz.py").write_text("import missing_part_xyz")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MissingExtraError, match="half_installed_xyz needs missing_part_xyz"):
        require("half_installed_xyz", "files")
