"""What is known of the items of a space, apart from what they are compared by; for spaces loaded when needed."""

from __future__ import annotations

import dataclasses

import numpy as np

from infoscope.base import DataError
from infoscope.base.array_types import Ints

from .space import Space

OF_ITEMS = ("sample_weight", "time", "run", "ids", "name", "origin", "given_time", "run_names", "notes", "counted")


def without_features(space: Space) -> Space:
    """The items of a space with their weights, times, runs, ids and name; all at one place, in no memory.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors import Space
    >>> from infoscope.neighbors.featureless import with_features, without_features
    >>> space = Space(np.eye(3), time=[0, 1, 2], name="corners")
    >>> items = without_features(space).take([0, 2])
    >>> items
    Space(corners: 2 items x 1 features, metric='euclidean', time)
    >>> with_features(items, space, np.array([0, 2])).features
    array([[1., 0., 0.],
           [0., 0., 1.]])
    """
    bare = Space(np.broadcast_to(np.zeros((1, 1)), (len(space), 1)), period_check=False)
    for field in OF_ITEMS:
        object.__setattr__(bare, field, getattr(space, field))
    return bare


def with_features(items: Space, space: Space, rows: Ints) -> Space:
    """The rows of a space that these items are, with what is known of them from elsewhere.

    Raises
    ------
    DataError
        If the space has fewer rows: it was loaded again and is another one.
    """
    if len(rows) and int(rows[-1]) >= len(space):
        raise DataError(
            f"{items.name} was loaded again and has {len(space)} rows, fewer than before: what loads a space must give "
            "the same one every time"
        )
    part = space if len(rows) == len(space) else space.take(rows)
    dressed = object.__new__(Space)
    for field in dataclasses.fields(Space):
        object.__setattr__(dressed, field.name, getattr(items if field.name in OF_ITEMS else part, field.name))
    return dressed
