"""Files that survive a kill: atomic writes."""

from .atomic import atomic_path, read_json, write_bytes, write_json, write_text

__all__ = ["atomic_path", "read_json", "write_bytes", "write_json", "write_text"]
