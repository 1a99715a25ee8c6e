"""Where the items of a space came from, with what the space knows of them."""

from __future__ import annotations

import numpy as np

from infoscope.base import Origin
from infoscope.base.origin import spell_item

from .space import Space


def item_origin(space: Space | None) -> Origin | None:
    """What a result keeps of the origin of its items: files and rows, and the times and names of the space.

    Parameters
    ----------
    space : Space or None

    Returns
    -------
    Origin or None
        None where nothing is known but the number of an item.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors import Space, item_origin
    >>> item_origin(Space(np.eye(3), ids=["a", "b", "c"])).spell(1)
    'b (row 1)'
    """
    if space is None or (space.origin is None and space.ids is None):
        return None
    known = Origin(np.arange(len(space))) if space.origin is None else space.origin
    time = space.time if space.given_time is None else space.given_time
    return known.replace_known(time=time if known.time is None else None, ids=space.ids)


def item_name(space: Space | None, item: int, number: int | None = None) -> str:
    """An item as messages call it: by its file and row where they are known, else by its number.

    Parameters
    ----------
    space : Space or None
    item : int
        Its number in the space.
    number : int, optional
        Its number among the items as they were brought, where some were left out of the space.

    Returns
    -------
    str

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors import Space, item_name
    >>> item_name(Space(np.eye(3)), 1)
    'item 1'
    """
    origin = item_origin(space)
    return spell_item(origin, item if origin is not None or number is None else number)
