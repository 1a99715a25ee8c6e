"""Where rows and states of a run go: into memory, or into a checkpoint with a stream of samples beside it."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from infoscope.base import DataError, ParameterError
from infoscope.storage import ArrayStream, Checkpoint

from .results import PRODUCTION
from .run import PHASES, RunInterrupted
from .state import RunState

logger = logging.getLogger("infoscope")


class RunFiles:
    """Where rows and states go: into memory, or into a checkpoint with a stream beside it."""

    def __init__(
        self,
        path: Any,
        options: dict[str, Any],
        resume: bool,
        every: float,
        columns: dict[str, Any],
        open_files: ExitStack,
    ) -> None:
        self.path = None if path is None else Path(path)
        self.checkpoint: Checkpoint | None = None
        self.stream: ArrayStream | None = None
        self.parts: list[dict[str, np.ndarray]] = []
        if self.path is None:
            if resume:
                raise ParameterError("resume=True needs checkpoint=, the file to go on from")
            return
        if self.path.suffix != ".npz":
            raise ParameterError(f"checkpoint is {str(path)!r}: its name must end in .npz")
        self.checkpoint = open_files.enter_context(Checkpoint(self.path, options, resume=resume, every=every))
        self.stream = ArrayStream(self.rows_path, columns, options=options, resume=resume)
        open_files.callback(self.stream.close)

    @property
    def rows_path(self) -> Path:
        """The file of samples."""
        return Path("" if self.path is None else self.path.with_suffix(".rows"))

    def load(self) -> Any:
        """What the checkpoint holds, None if there is none."""
        return None if self.checkpoint is None else self.checkpoint.load()

    def begin(self, state: RunState) -> None:
        """Forget rows that the state does not know of."""
        if self.stream is None:
            return
        known = state.done * len(state.chains.x) if state.phase == PRODUCTION else 0
        if known > len(self.stream):
            raise DataError(
                f"{self.rows_path} has {len(self.stream)} rows, and the checkpoint beside it knows of {known}: they do "
                "not belong together; delete both to start anew"
            )
        self.stream.cut(known)

    def go(self, settled: Any, state: RunState) -> dict[str, np.ndarray]:
        """Run to the end, and return the columns of production."""

        def keep(rows: dict[str, np.ndarray]) -> None:
            if self.stream is None:
                self.parts.append(rows)
            else:
                self.stream.append(**rows)

        def save() -> None:
            if self.checkpoint is not None and self.stream is not None:
                self.stream.commit()
                self.checkpoint.save(settled.to_plain(state))

        def after_each() -> None:
            if self.checkpoint is not None and self.checkpoint.is_due:
                save()

        try:
            settled.run(keep).go(state, after_each)
        except RunInterrupted:
            save()
            where = f"stopped in {PHASES[state.phase]} after {state.done} iterations"
            if self.path is None:
                raise RunInterrupted(f"{where}; nothing was kept, since no checkpoint was given") from None
            text = f"{where}; go on with fit(x0, checkpoint={str(self.path)!r}, resume=True)"
            logger.warning(text)
            raise RunInterrupted(text) from None
        save()
        if self.stream is not None:
            stream = self.stream
            return {name: stream[name] for name in stream.columns}
        return {name: np.concatenate([part[name] for part in self.parts]) for name in self.parts[0]}
