"""Items that are there twice, in all layers: the same text, or the same picture, again."""

from __future__ import annotations

import numpy as np

from infoscope.base import DataWarning, warn
from infoscope.neighbors import RowCodes, Space, find_repeated_rows


def look_for_repeats(*models: RowCodes | None, on_grid: bool = False) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Say how many items repeat another one in all layers of all models, and warn where they are many.

    Parameters
    ----------
    *models : RowCodes or None
        Of the items in all layers of each model; None where they are not at hand, and nothing is said.
    on_grid : bool
        Whether all layers have few values, so that equal items may well be chance: a note, and no warning.

    Returns
    -------
    warnings, notes : tuple of str
    """
    codes = [model.codes for model in models if model is not None and model.codes is not None]
    if not codes or len(codes) < len(models):
        return (), ()
    same = np.unique(np.column_stack(codes), axis=0, return_inverse=True)[1].reshape(-1)
    found = find_repeated_rows(Space.from_labels(same))
    if found is None or not found.n_repeats:
        return (), ()
    groups = int((np.bincount(found.group) > 1).sum())
    text = (
        f"{found.n_repeats} of {found.n_rows} items repeat another one in all layers ({groups} "
        f"group{'s' if groups > 1 else ''} of equal items)"
    )
    if on_grid or not found.worth_a_warning:
        return (), (text,)
    text += (
        ": the same text or picture again? They are each other's neighbours in every layer, and make all layers look "
        "more alike than they are; keep one of each"
    )
    warn(text, DataWarning)
    return (text,), ()
