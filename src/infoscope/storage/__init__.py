"""Files that survive a kill: atomic writes, checkpoints, streams of rows, stores of arrays."""

from .atomic import atomic_path, read_json, write_bytes, write_json, write_text
from .checkpoint import Checkpoint
from .store import ArrayStore
from .stream import ArrayStream
from .targets import check_target

__all__ = [
    "ArrayStore",
    "ArrayStream",
    "Checkpoint",
    "atomic_path",
    "check_target",
    "read_json",
    "write_bytes",
    "write_json",
    "write_text",
]
