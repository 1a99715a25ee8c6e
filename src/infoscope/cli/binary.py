"""What ``infoscope dimension --binary`` is asked: how columns become bits, and which pairs or columns to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from infoscope.base.errors import DataError, ParameterError

if TYPE_CHECKING:
    from infoscope.neighbors import Space

WINDOW = "0.4"
RULES = ("sign", "median", "two_bit")


@dataclass(frozen=True)
class BinaryOptions:
    """The options that go with --binary."""

    binarize: str | None
    states: int | None
    bits: int | None
    alpha_max: str = WINDOW
    prefix: str | None = None

    def given(self) -> str | None:
        """The first option that was given, by its flag."""
        values = {"--binarize": self.binarize, "--states": self.states, "--bits": self.bits, "--prefix": self.prefix}
        values["--alpha-max"] = None if self.alpha_max == WINDOW else self.alpha_max
        return next((flag for flag, value in values.items() if value is not None), None)

    def check(self, method: str, max_rank, metric, scale, period: Sequence[str] | None) -> None:
        """Refuse what has no meaning for bits, before anything is read."""
        others = {"--method": method != "gride", "--max-rank": max_rank, "--metric": metric, "--scale": scale}
        others["--period"] = period
        for flag, value in others.items():
            if value:
                raise ParameterError(f"{flag} does not go with --binary, whose distance is the number of unequal bits")
        if self.states is not None and (self.binarize is not None or self.bits is not None):
            raise ParameterError("--states reads columns as they are: leave out --binarize and --bits")
        self.rule()
        if self.window() == "scan" and self.prefix is not None:
            raise ParameterError("--alpha-max scan and --prefix are two pictures: ask for one at a time")
        self.boundaries()

    def rule(self) -> str | float | None:
        """How numbers become bits."""
        if self.binarize is None or self.binarize in RULES:
            return self.binarize
        try:
            return float(self.binarize)
        except ValueError:
            raise ParameterError(f"--binarize is {', '.join(RULES)} or a threshold, not '{self.binarize}'") from None

    def window(self) -> str | float:
        """The share of pairs, or a word."""
        if self.alpha_max in ("auto", "scan"):
            return self.alpha_max
        try:
            return float(self.alpha_max)
        except ValueError:
            raise ParameterError(f"--alpha-max is a share, auto or scan, not '{self.alpha_max}'") from None

    def boundaries(self) -> int | list[int] | None:
        """Columns of each prefix."""
        if self.prefix is None:
            return None
        try:
            numbers = [int(word) for word in self.prefix.split(",")]
        except ValueError:
            raise ParameterError(
                f"--prefix is a number of columns, or several with commas: not '{self.prefix}'"
            ) from None
        return numbers[0] if len(numbers) == 1 else numbers

    def estimate(self, space: Space, sample_rows: int | None, seed: int, n_jobs: int | None) -> Any:
        """The answer of the library."""
        from infoscope.dimension import BinaryID, prefix_curve, scan_alpha

        data = self._data(space)
        kept: dict[str, Any] = {"binarize": self.rule(), "q": self.states or 2, "n_jobs": n_jobs}
        window, boundaries = self.window(), self.boundaries()
        if (window == "scan" or boundaries is not None) and sample_rows is not None:
            raise ParameterError("--sample-rows goes with one number: leave out --prefix and --alpha-max scan")
        if window == "scan":
            return scan_alpha(data, n_bits=self.bits, **kept)
        if boundaries is not None:
            if window == "auto":
                raise ParameterError("--prefix compares equal windows: give --alpha-max a share")
            return prefix_curve(data, boundaries, alpha_max=float(window), n_bits=self.bits, **kept)
        estimator = BinaryID(alpha_max=window, n_rows=sample_rows, random_state=seed, **kept)
        return estimator.fit(data, n_bits=self.bits).result_

    def _data(self, space: Space) -> Any:
        """The space, or its columns as the bytes they are."""
        if self.bits is None:
            return space
        import numpy as np

        values = np.asarray(space.features)
        if ((values < 0) | (values > 255) | (values != np.rint(values))).any():
            raise DataError("--bits says that columns are packed bytes, but they are not all whole numbers 0 to 255")
        return values.astype(np.uint8)
