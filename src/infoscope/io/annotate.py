"""Results back into an AnnData object, beside the cells they were computed from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infoscope.base import Result
from infoscope.base.errors import ParameterError

if TYPE_CHECKING:
    import pandas

NOT_OF_VARIABLES = ("k", "n_")  # columns that say how a row was computed, alike for all variables


def write_to_anndata(result: Result, adata: Any, key: str = "infoscope") -> tuple[str, ...]:
    """Store a result in an AnnData object, so that it is saved with the cells.

    ``adata.uns[key]`` gets the ``type`` and the ``verdict`` of the result, its ``table`` (a frame) and a ``record``
    (JSON of ``result.to_dict()``: numbers, parameters, seed, versions).  Where each row of the table is about one
    variable, its numbers also become columns of ``adata.var``, NaN for variables it says nothing about.  Where it gives
    every cell a state, these (and "halo") become the categories ``adata.obs[f"{key}_state"]``, with the colours that
    its pictures have where scanpy looks for them, ``adata.uns[f"{key}_state_colors"]``.  What is there already under
    these names is replaced.

    Parameters
    ----------
    result : Result
        Any result of the library.
    adata : AnnData
        Changed in place.
    key : str
        Name of the entry in ``uns``, and beginning of the names in ``var``.

    Returns
    -------
    tuple of str
        The columns of ``adata.var`` that were written; empty where the rows are not about variables.

    Raises
    ------
    ParameterError
        If one of the arguments is of another kind, or the key is no name that a file can hold.

    Examples
    --------
    >>> import numpy as np
    >>> import anndata
    >>> from infoscope import imbalance_matrix
    >>> from infoscope.io import write_to_anndata
    >>> adata = anndata.AnnData(np.random.default_rng(0).normal(size=(60, 3)))
    >>> adata.var_names = ["CD3", "CD4", "CD8"]
    >>> genes = {gene: np.asarray(adata[:, gene].X) for gene in adata.var_names}
    >>> result = imbalance_matrix(genes, targets={"all": adata.X}, exclusion_window=0)
    >>> "infoscope_a_to_b" in write_to_anndata(result, adata)
    True
    >>> sorted(adata.uns["infoscope"])
    ['record', 'table', 'type', 'verdict']
    """
    import json

    if not isinstance(result, Result):
        raise ParameterError(f"only results can be stored, not {type(result).__name__}")
    if type(adata).__module__.split(".")[0] != "anndata" or not hasattr(adata, "uns"):
        raise ParameterError(f"an AnnData object is needed, not {type(adata).__name__}")
    if not isinstance(key, str) or not key or "/" in key:
        raise ParameterError(f"{key!r} cannot be a name in a file: use text without '/'")
    table = result.to_frame()
    adata.uns[key] = {
        "type": type(result).__name__,
        "verdict": result.verdict,
        "table": _plain_frame(table),
        "record": json.dumps(result.to_dict(), ensure_ascii=False, allow_nan=False),
    }
    _write_states(result, adata, f"{key}_state")
    return _write_variables(table, adata, key)


# ---------------------------------------------------------------------------------------------------------------- parts
def _plain_frame(table: pandas.DataFrame) -> pandas.DataFrame:
    """The table with nothing in it but numbers and text, which is what the file format holds."""
    import pandas as pd

    plain = {str(name).replace("/", "_"): _plain_column(table[name]) for name in table.columns}
    return pd.DataFrame(plain).set_index(pd.Index([str(row) for row in range(len(table))]))


def _plain_column(column: pandas.Series) -> pandas.Series:
    import pandas as pd

    if pd.api.types.is_bool_dtype(column) or pd.api.types.is_numeric_dtype(column):
        return column
    if all(value is None or isinstance(value, (int, float)) and not isinstance(value, bool) for value in column):
        return column.astype(float)
    text = ["" if missing else str(value) for value, missing in zip(column, column.isna(), strict=True)]
    return pd.Series(text, index=column.index, dtype=object)


def _write_states(result: Any, adata: Any, name: str) -> None:
    """The state of every cell, as categories with their colours."""
    if not hasattr(result, "state_groups") or result.labels.shape != (adata.n_obs,):
        return
    import pandas as pd

    group, names, colours = result.state_groups()
    adata.obs[name] = pd.Categorical.from_codes(group, names)
    adata.uns[f"{name}_colors"] = list(colours)


def _write_variables(table: pandas.DataFrame, adata: Any, key: str) -> tuple[str, ...]:
    """Numbers of a table whose rows are variables, as columns of ``var``."""
    import pandas as pd

    known = set(adata.var_names)
    about = next((name for name in table.columns if _names_variables(table[name], known)), None)
    if about is None or not adata.var_names.is_unique:
        return ()
    written = []
    for name in table.columns:
        column = _plain_column(table[name])
        counted = str(name) == NOT_OF_VARIABLES[0] or str(name).startswith(NOT_OF_VARIABLES[1])
        if counted or not pd.api.types.is_numeric_dtype(column):
            continue
        numbers = pd.Series(column.to_numpy(dtype=float), index=table[about].to_numpy())
        written.append(f"{key}_{name}".replace("/", "_"))
        adata.var[written[-1]] = numbers.reindex(adata.var_names).to_numpy()
    return tuple(written)


def _names_variables(column: pandas.Series, known: set[str]) -> bool:
    texts = all(isinstance(value, str) for value in column)
    return bool(len(column)) and texts and column.is_unique and known.issuperset(column)
