"""Products of a matrix with every row, whose bits do not depend on how many rows there are.

A library's matrix product may sum in another order for one row than for a hundred; draws and densities of a chain would
then depend on the chains beside it.
"""

from __future__ import annotations

import numpy as np

from infoscope.base.array_types import Floats


def multiply_rows(matrix: Floats, x: Floats) -> Floats:
    """The product of a matrix (p, q) with every row of x (n, q), summed in the order of the columns: (n, p).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.sampling.row_products import multiply_rows
    >>> multiply_rows(np.array([[1.0, 2.0], [0.0, 1.0]]), np.array([[1.0, 10.0]]))
    array([[21., 10.]])
    """
    product = np.zeros((len(x), len(matrix)))
    for column in range(x.shape[1]):
        product += x[:, column, None] * matrix[:, column]
    return product
