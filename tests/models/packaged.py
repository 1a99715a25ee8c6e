"""What tests on packaged models share: skipping without a package, and imbalances layer by layer."""

import numpy as np
import pytest

from infoscope.base import MissingExtraError
from infoscope.representations import compare_layers


def or_skip(load, *args, **options):
    """What a loader gives, or a skipped test that says what to install."""
    try:
        return load(*args, **options)
    except MissingExtraError as missing:
        pytest.skip(f"{missing}; make test-models does")


def imbalances(a, b, layers=None, other=None, **options):
    """Information Imbalances (2, L) from a to b and back, of the same layer of both, or of all with one."""
    found = compare_layers(a, b, measures="imbalance", n_permutations=19, random_state=0, **options)
    tables = [found.table("a_to_b"), found.table("b_to_a")]
    if other is None:
        chosen = [np.diagonal(one) for one in tables]
    else:
        chosen = [one[:, found.names_b.index(other)] for one in tables]
    return np.array(chosen)[:, list(layers) if layers is not None else slice(None)]
