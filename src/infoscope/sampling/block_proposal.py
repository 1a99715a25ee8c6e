"""A proposal that changes one block of the variables at a time: a law for each block, and a random choice between."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.exceptions import NotFittedError

from infoscope.base.array_types import Floats
from infoscope.base.contents import holds, whole
from infoscope.base.errors import ParameterError
from infoscope.statistics import as_periods

from .defensive import DefensiveProposal
from .interfaces import draw_each
from .learned_proposal import LearnedProposal
from .mixtures import GaussianMixtureProposal


class BlockProposal(LearnedProposal):
    """New values of one block of variables in every move; the others stay where they are.

    The block is chosen at random, whatever the state, so each choice is a move that leaves the law as it is, and so is
    their mixture.  Where all variables change at once, the work grows with their number and few moves are accepted; a
    chain of residues, each with two torsions, is best moved residue by residue.

    Parameters
    ----------
    blocks : sequence of sequences of int, optional
        Numbers of the variables in each block; every variable is in one block.  By default each is a block of its own.
    proposals : sequence of Proposal, optional
        One for each block, of its variables in their order.  Those with a `fit` are copied and fitted.  By default
        mixtures with a broad part.
    period : None, float, sequence or mapping
        Periods of all variables, for the default.
    random_state : int
        For the default.

    Attributes
    ----------
    laws_ : list
        The law of every block.

    Raises
    ------
    ParameterError
        Blocks that leave out a variable or name one twice; proposals of another number.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.sampling import BlockProposal
    >>> visited = np.random.default_rng(0).normal(size=(500, 4))
    >>> proposal = BlockProposal([[0, 1], [2, 3]]).fit(visited)
    >>> moved = proposal.draw_moves(visited[:1], [np.random.default_rng(1)])
    >>> int((moved != visited[:1]).sum())
    2
    """

    most_rows = GaussianMixtureProposal.most_rows
    _contents = {"n_features_in_": whole(1), "laws_": holds(list, tuple)}

    def __init__(self, blocks: Any = None, *, proposals: Any = None, period: Any = None, random_state: int = 0):
        self.blocks = blocks
        self.proposals = proposals
        self.period = period
        self.random_state = random_state

    def draw_moves(self, z: Floats, generators: Sequence[np.random.Generator]) -> Floats:
        """Where chains at z are to go: one block of each is drawn anew.

        Parameters
        ----------
        z : array (n, m)
        generators : sequence of n Generators
            Row i depends on generator i alone.

        Returns
        -------
        array (n, m)
        """
        laws, blocks = self._fitted()
        chosen = np.array([int(rng.integers(len(blocks))) for rng in generators], dtype=np.int64)
        moved = np.array(z, np.float64)
        for number, block in enumerate(blocks):
            rows = np.flatnonzero(chosen == number)
            if len(rows):
                moved[np.ix_(rows, block)] = draw_each(laws[number], [generators[int(row)] for row in rows])
        return moved

    # --------------------------------------------------------------------------------------------------------- steps
    def _new_laws(self, m: int, period: Floats) -> list[Any]:
        blocks = self._blocks(m)
        if self.proposals is not None:
            given = list(self.proposals)
            if len(given) != len(blocks):
                raise ParameterError(f"there are {len(given)} proposals for {len(blocks)} blocks: give one for each")
            return [copy.deepcopy(one) if hasattr(one, "fit") else one for one in given]
        return [
            DefensiveProposal(GaussianMixtureProposal(period=period[block], random_state=self.random_state))
            for block in blocks
        ]

    def _learn(self, z: Floats, weight: Floats) -> None:
        period = as_periods(self.period, z.shape[1], getattr(self, "feature_names_in_", None))
        self.laws_ = self._new_laws(z.shape[1], period)
        self._teach("fit", z, weight)

    def _learn_more(self, z: Floats, weight: Floats) -> None:
        self._teach("partial_fit", z, weight)

    def _teach(self, how: str, z: Floats, weight: Floats) -> None:
        for law, block in zip(self.laws_, self._blocks(z.shape[1]), strict=True):
            learn = getattr(law, how, getattr(law, "fit", None))
            if learn is not None:
                learn(z[:, block], sample_weight=weight)

    def _blocks(self, m: int) -> list[np.ndarray]:
        given = range(m) if self.blocks is None else self.blocks
        blocks = [np.atleast_1d(np.asarray(block, np.int64)) for block in given]
        named = np.sort(np.concatenate(blocks)) if blocks else np.zeros(0, np.int64)
        if not np.array_equal(named, np.arange(m)):
            raise ParameterError(f"blocks is {self.blocks!r}: name each of the {m} variables, 0 to {m - 1}, once")
        return blocks

    def _fitted(self) -> tuple[list[Any], list[np.ndarray]]:
        if not hasattr(self, "laws_"):
            raise NotFittedError("this BlockProposal has not seen values yet: call fit first")
        return list(self.laws_), self._blocks(self.n_variables)

    def _draw(self, n: int, rng: np.random.Generator) -> Floats:
        laws, blocks = self._fitted()
        z = np.empty((n, self.n_variables))
        for law, block in zip(laws, blocks, strict=True):
            z[:, block] = law.sample(n, rng)
        return z

    def _log_density(self, z: Floats) -> Floats:
        laws, blocks = self._fitted()
        parts = [np.asarray(law.log_prob(z[:, block])) for law, block in zip(laws, blocks, strict=True)]
        return np.asarray(np.sum(parts, axis=0))
