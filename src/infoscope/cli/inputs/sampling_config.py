"""A TOML file that says what to sample: the target, its variables, the starts, and options of the sampler."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from infoscope.base.checks import check_positive_int
from infoscope.base.errors import DataError, ParameterError
from infoscope.cli.code_of_records import check_code
from infoscope.io.files_read import reading

from .toml_tables import near, read_tables

SAMPLER = (
    *("embedding", "path", "proposal", "friction", "step", "step_length", "masses", "schedule", "kappa", "local"),
    *("n_local", "basins", "n_burn_in", "adapt"),
)
KEYS = {
    "target": ("system", "options", "energy", "gradient", "n_coordinates", "backend", "vectorized", "kT"),
    "variables": ("coordinates", "matrix", "function", "jacobian", "names", "period", "backend"),
    "starts": ("file", "system", "random_state"),
    "sampler": SAMPLER,
    "run": ("n_adapt", "n_iter"),
}


class SamplingConfig(NamedTuple):
    """What a file asks for: arguments of `FlowCVSampler` and of its `fit`, and the files that were read."""

    target: Any
    variables: Any
    starts: np.ndarray
    sampler: dict[str, Any]
    run: dict[str, int]
    files: list[Path]


def read_sampling_config(path: str) -> SamplingConfig:
    """Read a file of `infoscope sample`.

    Parameters
    ----------
    path : str
        TOML with the tables target, variables, starts, sampler and run.  Functions are ``"file.py:name"``, and files
        are sought beside the TOML.

    Returns
    -------
    SamplingConfig

    Raises
    ------
    DataError
        A file that is missing, or is no TOML.
    ParameterError
        A key that is unknown (with the one that is near), or one that is missing.
    """
    file = Path(path)
    table = read_tables(path, KEYS, ("target", "starts"), "docs/rooms/sampling")
    files = [file]
    functions = _Functions(path, file.parent, files)
    target = _target(path, table.get("target", {}), functions)
    variables = _variables(path, table.get("variables", {}), target, functions)
    starts = _starts(path, table.get("starts", {}), target, file.parent, files)
    return SamplingConfig(target, variables, starts, dict(table.get("sampler", {})), dict(table.get("run", {})), files)


# --------------------------------------------------------------------------------------------------------------- steps
class _Functions:
    """Functions of Python files, each file loaded once."""

    def __init__(self, path: str, folder: Path, files: list[Path]) -> None:
        self.path, self.folder, self.files, self.modules = path, folder, files, dict[Path, Any]()

    def get(self, text: Any, what: str) -> Callable[..., Any]:
        """The function that it means."""
        name, colon, function = str(text).rpartition(":")
        if not colon or not name.endswith(".py"):
            raise ParameterError(f"{self.path}: {what} is {text!r}: write 'file.py:function'")
        file = self.folder / name
        if not file.is_file():
            raise DataError(f"{self.path}: {what}: {file}: no such file")
        if file not in self.modules:
            check_code(file)
            with reading(file):
                spec = importlib.util.spec_from_file_location(file.stem, file)
                if spec is None or spec.loader is None:
                    raise DataError(f"{file} is no Python file")
                module = importlib.util.module_from_spec(spec)
                try:
                    spec.loader.exec_module(module)
                except Exception as error:  # whatever the user's own file raises
                    raise DataError(f"{file} cannot be loaded: {type(error).__name__}: {error}") from error
            self.modules[file] = module
            self.files.append(file)
        found = getattr(self.modules[file], function, None)
        if not callable(found):
            there = [key for key, value in vars(self.modules[file]).items() if callable(value) and key[0] != "_"]
            raise ParameterError(
                f"{self.path}: {what}: {file} has no function {function}. {near(function, tuple(there))}"
            )
        return found  # type: ignore[no-any-return]


def _target(path: str, table: Mapping[str, Any], functions: _Functions) -> Any:
    from infoscope.sampling import Target, systems

    if "system" in table:
        names = tuple(name for name in systems.__all__ if hasattr(getattr(systems, name), "starts"))
        if table["system"] not in names:
            raise ParameterError(f"{path}: there is no system {table['system']!r}. {near(str(table['system']), names)}")
        if not isinstance(table.get("options", {}), Mapping):
            raise ParameterError(f"{path}: options of {table['system']} are a table: options = {{name = value}}")
        try:
            return getattr(systems, table["system"])(**table.get("options", {}))
        except TypeError as error:
            raise ParameterError(f"{path}: options of {table['system']}: {error}") from error
    if "energy" not in table or "n_coordinates" not in table:
        raise ParameterError(f"{path}: [target] needs a system, or energy = 'file.py:function' and n_coordinates")
    gradient = table.get("gradient")
    given = {name: table[name] for name in ("n_coordinates", "backend", "vectorized", "kT") if name in table}
    slope = functions.get(gradient, "gradient") if isinstance(gradient, str) else gradient
    return Target(functions.get(table["energy"], "energy"), slope, **given)


def _variables(path: str, table: Mapping[str, Any], target: Any, functions: _Functions) -> Any:
    from infoscope.sampling import FunctionVariables, LinearVariables, SubsetVariables

    given = {name: table[name] for name in ("names", "period") if name in table}
    if "coordinates" in table:
        return SubsetVariables(table["coordinates"], n_coordinates=target.n_coordinates, **given)
    if "matrix" in table:
        return LinearVariables(table["matrix"], **given)
    if "function" in table:
        more = {"backend": table["backend"]} if "backend" in table else {}
        jacobian = functions.get(table["jacobian"], "jacobian") if "jacobian" in table else None
        return FunctionVariables(functions.get(table["function"], "function"), jacobian, **given, **more)
    if hasattr(target, "variables"):
        own = target.variables
        return own() if callable(own) else own
    raise ParameterError(
        f"{path}: [variables] needs coordinates = [...], matrix = [[...]] or function = 'file.py:name'"
    )


def _rows_of(file: Path) -> np.ndarray:
    """Rows of a file of starts, all of them: a chain that is left out would change the others."""
    from infoscope.io import read_table

    table = read_table(file, missing="keep")
    rows = np.asarray(table.values, np.float64)
    if np.isnan(rows).any():
        row, column = (int(at[0]) for at in np.nonzero(np.isnan(rows)))
        raise DataError(
            f"{file}: row {row} (counted from 0), column '{table.names[column]}' is missing: a chain starts in every "
            "row; mend it, or delete the row from the file"
        )
    return rows


def _starts(path: str, table: Mapping[str, Any], target: Any, folder: Path, files: list[Path]) -> np.ndarray:
    if "file" in table:
        file = folder / str(table["file"])
        if not file.is_file():
            raise DataError(f"{path}: starts: {file}: no such file")
        files.append(file)
        return _rows_of(file)
    if "system" not in table:
        raise ParameterError(f"{path}: [starts] needs file = 'starts.npy', or system = [chains in each basin]")
    if not hasattr(target, "starts"):
        raise ParameterError(f"{path}: [starts] system is for built-in targets; for one of your own give file =")
    counts = table["system"]
    if not isinstance(counts, list) or not counts:
        raise ParameterError(f"{path}: [starts] system is {counts!r}: give chains in each basin, as in [8, 8]")
    chains = [check_positive_int(n, f"chains in basin {b} of [starts]", 0) for b, n in enumerate(counts)]
    if not any(chains):
        raise ParameterError(f"{path}: [starts] system is {counts!r}: at least one chain is needed")
    seed = check_positive_int(table.get("random_state", 0), "random_state of [starts]", 0)
    return np.concatenate([target.starts(n, basin=b, random_state=seed + b) for b, n in enumerate(chains) if n])
