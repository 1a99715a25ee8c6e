"""What ``infoscope dimension --binary`` is asked: how columns become bits, and which pairs or columns to look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from .options import Measure, count, switch, value, word

if TYPE_CHECKING:
    from infoscope.neighbors import Space

WINDOW = 0.4


def _numbers(text: str) -> int | list[int]:
    numbers = [int(number) for number in text.split(",")]
    return numbers[0] if len(numbers) == 1 else numbers


@dataclass(frozen=True)
class Binary:
    """Whether the data are bits, and what goes with that."""

    binary: Annotated[bool, switch("The data are bits: how many independent ones are as far apart?", "--binary")] = (
        False
    )
    binarize: Annotated[
        float | str | None,
        word(
            "sign|median|two_bit", "How numbers become bits (with --binary).", metavar="NUMBER", or_else="a threshold"
        ),
    ] = None
    states: Annotated[int | None, value("Q", "Columns hold states 0 to Q - 1, not bits (with --binary).", least=3)] = (
        None
    )
    bits: Annotated[int | None, count(1, "Columns are packed bytes with so many bits (with --binary).")] = None
    alpha_max: Annotated[
        float | str,
        word(
            "auto|scan",
            "Pairs to fit: the nearest share; scan: several (with --binary).",
            metavar="SHARE",
            or_else="a share",
        ),
    ] = WINDOW
    prefix: Annotated[
        int | list[int] | None,
        word(
            "",
            "The first N columns, then more: N, 2N, ... or a list (with --binary).",
            metavar="N[,N...]",
            or_else="a number of columns, or several with commas",
            of=_numbers,
        ),
    ] = None

    def check(self, method: str, max_rank: int | None, measure: Measure) -> None:
        """Refuse what has no meaning for bits, or for anything else, before anything is read."""
        from infoscope.base.errors import ParameterError

        own = {"--binarize": self.binarize, "--states": self.states, "--bits": self.bits, "--prefix": self.prefix}
        own["--alpha-max"] = None if self.alpha_max == WINDOW else self.alpha_max
        others = {"--method": method != "gride", "--max-rank": max_rank}
        others |= {f"--{name}": value for name, value in vars(measure).items()}
        if not self.binary:
            for flag in (flag for flag in own if own[flag] is not None):
                raise ParameterError(f"{flag} goes with --binary")
            return
        for flag in filter(others.get, others):
            raise ParameterError(f"{flag} does not go with --binary, whose distance is the number of unequal bits")
        if self.states is not None and (self.binarize is not None or self.bits is not None):
            raise ParameterError("--states reads columns as they are: leave out --binarize and --bits")
        if self.alpha_max == "scan" and self.prefix is not None:
            raise ParameterError("--alpha-max scan and --prefix are two pictures: ask for one at a time")
        if self.alpha_max == "auto" and self.prefix is not None:
            raise ParameterError("--prefix compares equal windows: give --alpha-max a share")

    def estimate(
        self, space: Space, sample_rows: int | None, window: float | str | None, random_state: int, n_jobs: int | None
    ) -> Any:
        """The answer of the library; a window says how long the blocks are that errors come from."""
        from infoscope.base.errors import ParameterError
        from infoscope.dimension import BinaryID, prefix_curve, scan_alpha
        from infoscope.neighbors import row_step, settle_window

        space, length = settle_window(space, window)
        blocks = {} if length is None else {"block_length": max(1, round(length / row_step(space)))}
        data = self._data(space)
        kept: dict[str, Any] = {"binarize": self.binarize, "q": self.states or 2, "n_jobs": n_jobs}
        if (self.alpha_max == "scan" or self.prefix is not None) and sample_rows is not None:
            raise ParameterError("--sample-rows goes with one number: leave out --prefix and --alpha-max scan")
        if (self.alpha_max == "scan" or self.prefix is not None) and length:
            raise ParameterError("--window goes with one number: leave out --prefix and --alpha-max scan")
        if self.alpha_max == "scan":
            return scan_alpha(data, **kept)
        if self.prefix is not None:
            return prefix_curve(data, self.prefix, alpha_max=float(self.alpha_max), **kept)
        estimator = BinaryID(alpha_max=self.alpha_max, n_rows=sample_rows, random_state=random_state, **blocks, **kept)
        return estimator.fit(data).result_

    def _data(self, space: Space) -> Any:
        """The space, or the bits in the bytes that its columns are."""
        if self.bits is None:
            return space
        import numpy as np

        from infoscope.base.errors import DataError

        values = np.asarray(space.features)
        if ((values < 0) | (values > 255) | (values != np.rint(values))).any():
            raise DataError("--bits says that columns are packed bytes, but they are not all whole numbers 0 to 255")
        known = {name: getattr(space, name) for name in ("sample_weight", "time", "run", "ids")}
        return type(space).from_bits(values.astype(np.uint8), n_bits=self.bits, name=space.name, **known)
