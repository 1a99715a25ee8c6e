"""What may be done to the vectors of a layer before it is compared: clip, centre, take centroids away, keep signs."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from infoscope.base import DataError, ParameterError
from infoscope.base.contents import numbers, values, whole
from infoscope.base.documentation import DocumentedEstimator
from infoscope.neighbors import Space

LARGEST_BLOCK = 2**22  # entries whose quantiles are taken at a time
NAMED = 3  # groups that a message lists


class ClipRows(OneToOneFeatureMixin, TransformerMixin, DocumentedEstimator, BaseEstimator):
    """Clamp the entries of every item to two quantiles of its own entries: no feature outweighs all others.

    A few features of a network may be a thousand times larger than the rest; cosines and distances then see little
    else.

    Parameters
    ----------
    lower, upper : float
        Quantiles, with linear interpolation.

    References
    ----------
    Acevedo et al., arXiv:2505.17101 (2025).  Sun, Chen, Kolter, Liu, COLM (2024): massive activations.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.representations import ClipRows
    >>> ClipRows(0.25, 0.75).fit_transform(np.array([[0.0, 1.0, 2.0, 3.0, 1000.0]]))
    array([[1., 1., 2., 3., 3.]])
    """

    _contents = {"n_features_in_": whole(1)}

    def __init__(self, lower: float = 0.05, upper: float = 0.95):
        self.lower = lower
        self.upper = upper

    def fit(self, X: Any, y: Any = None) -> ClipRows:
        """Look at the features; nothing is learnt.

        Parameters
        ----------
        X : array (N, D)
        y : ignored
        """
        self._quantiles()
        validate_data(self, X, dtype=[np.float64, np.float32])
        return self

    def transform(self, X: Any) -> np.ndarray:
        """The clipped rows.

        Parameters
        ----------
        X : array (N, D)

        Returns
        -------
        array (N, D)
        """
        check_is_fitted(self)
        x = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        between = self._quantiles()
        rows, clipped = max(1, LARGEST_BLOCK // x.shape[1]), np.empty_like(x)
        for start in range(0, len(x), rows):
            part = slice(start, start + rows)
            low, high = np.quantile(x[part], between, axis=1, keepdims=True)
            clipped[part] = np.clip(x[part], low, high)
        return clipped

    def _quantiles(self) -> tuple[float, float]:
        """Asked of a fit as well: `set_params`, or a file, may have changed them since."""
        between = self.lower, self.upper
        if not (all(isinstance(q, (int, float, np.number)) for q in between) and 0 <= self.lower < self.upper <= 1):
            raise ParameterError(f"lower is {self.lower!r} and upper {self.upper!r}: give 0 <= lower < upper <= 1")
        return between


class Center(OneToOneFeatureMixin, TransformerMixin, DocumentedEstimator, BaseEstimator):
    """Take the mean of the items away: cosines then see how items differ, not the direction that all of them share.

    Attributes
    ----------
    mean_ : array (D,)

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.representations import Center
    >>> Center().fit_transform(np.array([[10.0, 1.0], [12.0, 1.0]]))
    array([[-1.,  0.],
           [ 1.,  0.]])
    """

    _contents = {"n_features_in_": whole(1), "mean_": numbers("n_features_in_")}

    def fit(self, X: Any, y: Any = None) -> Center:
        """Learn the mean.

        Parameters
        ----------
        X : array (N, D)
        y : ignored
        """
        self.mean_ = validate_data(self, X, dtype=[np.float64, np.float32]).mean(0)
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Vectors less the mean.

        Parameters
        ----------
        X : array (N, D)

        Returns
        -------
        array (N, D)
        """
        check_is_fitted(self)
        return validate_data(self, X, dtype=[np.float64, np.float32], reset=False) - self.mean_


class RemoveCentroids(OneToOneFeatureMixin, TransformerMixin, DocumentedEstimator, BaseEstimator):
    """Take the mean of its group away from every item: what the items of a group share (syntax, topic) is gone.

    Parameters
    ----------
    groups : array (N,), optional
        Group of every item that is fitted; `y` of `fit` if not given.

    Attributes
    ----------
    names_ : array (G,)
        Groups, sorted.
    centroids_ : array (G, D)
        Their means.
    groups_ : array (N,)
        Groups of the items that were fitted.

    References
    ----------
    Acevedo, Laio, Baroni (2026): centroids of syntax and of meaning.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.representations import RemoveCentroids
    >>> x = np.array([[1.0], [3.0], [10.0], [20.0]])
    >>> RemoveCentroids(["noun", "noun", "verb", "verb"]).fit_transform(x).ravel()
    array([-1.,  1., -5.,  5.])
    """

    _contents = {
        "n_features_in_": whole(1),
        "names_": values("names_"),
        "centroids_": numbers("names_", "n_features_in_"),
        "groups_": values("N"),
    }

    def __init__(self, groups: Any = None):
        self.groups = groups

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = self.groups is None
        return tags

    def fit(self, X: Any, y: Any = None) -> RemoveCentroids:
        """Learn the centroids.

        Parameters
        ----------
        X : array (N, D)
        y : array (N,), optional
            Groups, if they were not given.
        """
        x = validate_data(self, X, dtype=[np.float64, np.float32])
        given = y if self.groups is None else self.groups
        if given is None:
            raise ParameterError("RemoveCentroids has no groups: give one for every item, RemoveCentroids(groups)")
        self.groups_ = _one_each(given, len(x))
        self.names_, place = np.unique(self.groups_, return_inverse=True)
        place = place.reshape(-1)
        totals = np.zeros((len(self.names_), x.shape[1]))
        np.add.at(totals, place, x)
        self.centroids_ = (totals / np.bincount(place)[:, None]).astype(x.dtype)
        return self

    def transform(self, X: Any, groups: Any = None) -> np.ndarray:
        """Vectors less the centroids of their groups.

        Parameters
        ----------
        X : array (N, D)
        groups : array (N,), optional
            Of these items; those of the items that were fitted, in their order, if not given.

        Returns
        -------
        array (N, D)

        Raises
        ------
        DataError
            A group that no fitted item belongs to; groups of another number of items.
        """
        check_is_fitted(self)
        x = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        wanted = _one_each(self.groups_ if groups is None else groups, len(x))
        unseen = np.setdiff1d(wanted, self.names_)
        if len(unseen):
            raise DataError(
                f"no fitted item is of the group {', '.join(map(repr, unseen[:NAMED].tolist()))} ({len(unseen)} such "
                "groups): fit on items of all groups"
            )
        return x - self.centroids_[np.searchsorted(self.names_, wanted)]

    def take(self, rows: Any) -> RemoveCentroids:
        """The same for some of the items, not fitted."""
        return RemoveCentroids(None if self.groups is None else np.asarray(self.groups)[rows])


class SignBits(TransformerMixin, DocumentedEstimator, BaseEstimator):
    """Keep the signs of the features, packed 64 to a word: items are compared by the number of signs that differ.

    A positive number is 1; zero and negative numbers are 0 (+1 and -1 in the language of spins).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.representations import SignBits
    >>> signs = SignBits().fit_transform(np.array([[0.5, -2.0, 0.0], [0.1, 3.0, -1.0]]))
    >>> signs.metric, signs.pair_distances([0], [1])
    ('bits', array([1.]))
    """

    _contents = {"n_features_in_": whole(1)}

    def fit(self, X: Any, y: Any = None) -> SignBits:
        """Look at the features; nothing is learnt.

        Parameters
        ----------
        X : array (N, D)
        y : ignored
        """
        validate_data(self, X, dtype=[np.float64, np.float32])
        return self

    def transform(self, X: Any) -> Space:
        """A `Space` of bits, for Hamming distances.

        Parameters
        ----------
        X : array (N, D)

        Returns
        -------
        Space
        """
        from infoscope.dimension import pack_bits

        check_is_fitted(self)
        return pack_bits(validate_data(self, X, dtype=[np.float64, np.float32], reset=False), binarize="sign")


# --------------------------------------------------------------------------------------------------------------- steps
def read_groups(groups: Any) -> np.ndarray:
    """Groups as text or numbers; what is missing, or of two types, is refused as in labels."""
    found = np.asarray(groups)
    if found.ndim == 1 and len(found):
        Space.from_labels(groups, name="groups")
    return found.astype(str) if found.dtype.kind == "O" else found


def _one_each(groups: Any, n: int) -> np.ndarray:
    found = read_groups(groups)
    if found.shape != (n,):
        raise DataError(f"groups has shape {found.shape}, and there are {n} items: give one group for every item")
    return found
