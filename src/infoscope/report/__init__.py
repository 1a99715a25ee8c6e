"""Results as pages that people look at: one file that a browser opens, without a network."""

from .page import check_page_path, write_page

__all__ = ["check_page_path", "write_page"]
