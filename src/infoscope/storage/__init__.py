"""Files that survive a kill: atomic writes, checkpoints."""

from .atomic import atomic_path, read_json, write_bytes, write_json, write_text
from .checkpoint import Checkpoint

__all__ = ["Checkpoint", "atomic_path", "read_json", "write_bytes", "write_json", "write_text"]
