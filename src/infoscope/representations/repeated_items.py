"""Items that are there twice, in all layers: the same text, or the same picture, again."""

from __future__ import annotations

import numpy as np

from infoscope.base import DataWarning, warn
from infoscope.neighbors import RowCodes, Space, find_repeated_rows, has_few_values, to_numpy


class SeenItems:
    """Items in layers that are seen one after the other, each once, and dropped.

    Attributes
    ----------
    codes : RowCodes or None
        By which items that are equal in all layers are known; None where they are not at hand.
    on_grid : bool
        Whether all layers have few values, as bits.
    """

    def __init__(self) -> None:
        self.codes: RowCodes | None = RowCodes()
        self.on_grid = True

    def add(self, space: Space) -> None:
        """See one more layer."""
        self.codes = None if self.codes is None else self.codes.with_space(space)
        self.on_grid = self.on_grid and (space.metric == "bits" or has_few_values(to_numpy(space.features)))

    def look(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What `look_for_repeats` says of all layers that were seen."""
        return look_for_repeats(self.codes, on_grid=self.on_grid)


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
