"""Where the layers of ``infoscope layers`` come from: stores, archives, or models that are run on items."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .layer_items import LayerItems, choose_items
from .options import Delivery, Texts, count, switch, value, word

if TYPE_CHECKING:
    from infoscope.representations import RepresentationStore

STORES = "layers.stores"


@dataclass(frozen=True)
class Extraction:
    """What models are run on, and how."""

    texts: Annotated[
        str | None, value("FILE[:COLUMN]", "Run the models on texts: .jsonl:field, .csv:column, .txt (a line each).")
    ] = None
    against: Annotated[
        str | None, value("FILE[:COLUMN]", "Texts for B: its row i belongs to row i of --texts, as a translation does.")
    ] = None
    images: Annotated[
        str | None, value("DIR", "Pictures, in the order of their names; with --texts they are for B.")
    ] = None
    ids: Annotated[
        str | None, value("COLUMN", "Of the texts: names of the items, by which pictures are called too.")
    ] = None
    layers: Annotated[Texts, value("PATTERN", "Modules to listen to, such as '*.mlp'. Default: all blocks.")] = None
    last: Annotated[int, count(1, "Tokens of --pool last_n and mean_last_n.")] = 10
    window: Annotated[
        str | None, value("START:STOP", "Tokens of --pool window, as a slice: '0:5' the first five, '-5:' the last.")
    ] = None
    skip_first: Annotated[int, count(0, "First tokens that are left out.")] = 0
    decoder: Annotated[bool, switch("Of an encoder-decoder, run the decoder too.", "--decoder")] = False
    truncate: Annotated[bool, switch("Cut texts that are longer than the model takes.", "--truncate")] = False
    dtype: Annotated[str, word("float16|bfloat16|float32", "Of the stores.")] = "float16"
    token_budget: Annotated[int, count(1, "Tokens of a batch of texts.")] = 4096
    batch_size: Annotated[int, count(1, "Pictures of a batch.")] = 32
    device: Annotated[str | None, value("DEVICE", "cpu, cuda: where to run the models. Default: cpu.")] = None
    store_dir: Annotated[
        str | None, value("DIR", "Where the layers are kept, for the next run. Default: beside the output.")
    ] = None

    @property
    def needs_models(self) -> bool:
        return any((self.texts, self.against, self.images))

    def folder(self, out: Delivery) -> Path:
        """Where stores are kept: beside the first output, or the picture, or here."""
        if self.store_dir is not None:
            return Path(self.store_dir)
        beside = next((one for one in (*(out.output or []), out.plot) if one), None)
        return Path(STORES) if beside is None else Path(beside).with_suffix(".stores")

    def options(self, pool: str | None) -> dict[str, Any]:
        """Arguments of `extract`."""
        start, stop = _ends(self.window, pool)
        return {
            "layers": self.layers or "all", "pool": pool or "mean", "n": self.last, "start": start, "stop": stop,
            "skip_first": self.skip_first,
            "decoder": self.decoder, "truncate": self.truncate, "dtype": self.dtype,
            "token_budget": self.token_budget, "batch_size": self.batch_size, "device": self.device,
        }  # fmt: skip


@dataclass(frozen=True)
class Layers:
    """Layers of one side, and what is recorded of them."""

    layers: dict[str, Any]
    files: list[Path]
    store: RepresentationStore | None
    pool: str | None
    about: dict[str, Any]

    def record(self) -> dict[str, Any]:
        """What was read, for the record of a result."""
        return {**self.about, "layers": list(self.layers), "pool": self.pool}


def read_layers(name: str, pool: str | None) -> Layers:
    """Layers that are there: of a store, or an archive of arrays."""
    from infoscope.base.errors import DataError, ParameterError

    path = Path(name)
    if path.is_dir():
        from infoscope.representations import RepresentationStore
        from infoscope.storage.manifest import MANIFEST

        if not (path / MANIFEST).is_file() and (path / "config.json").is_file():
            raise ParameterError(f"{name} is a model: say what it is run on, with --texts or --images")
        store = RepresentationStore.open(path)
        return Layers(store.arrays(pool=pool), [path / MANIFEST], store, pool or store.pools[0], {})
    if path.suffix.lower() in (".gguf", ".onnx") and path.is_file():
        raise ParameterError(f"{name} is a model: say what it is run on, with --texts or --images")
    if path.suffix.lower() != ".npz":
        raise DataError(f"{name} is no store of layers and no .npz: a model is a folder, or an archive of arrays")
    if pool is not None:
        raise ParameterError(f"--pool is of stores, and {name} is an archive of arrays")
    import numpy as np

    from infoscope.io.files_read import reading

    try:
        with reading(path), np.load(path, allow_pickle=False) as archive:
            return Layers({layer: archive[layer] for layer in archive.files}, [path], None, None, {})
    except (OSError, ValueError) as error:
        raise DataError(f"{name} cannot be read as an archive of arrays: {error}") from error


def extract_layers(first: str, second: str | None, asked: Extraction, pool: str | None, folder: Path) -> list[Layers]:
    """Run one model or two on one set of items or two, into stores that the next run goes on with."""
    models = [first] if second is None else [first, second]
    for name in models:
        _refuse_stores(name)
    items = choose_items(asked.texts, asked.against, asked.images, ids=asked.ids, n_models=len(models))
    loaded = _LoadedOnce()
    return [
        _extract(side, name, loaded, one, asked, pool, folder)
        for side, name, one in zip("ab", [models[0], models[-1]], [items[0], items[-1]], strict=True)
    ]


# --------------------------------------------------------------------------------------------------------------- steps
def _ends(window: str | None, pool: str | None) -> tuple[int, int | None]:
    """Where a window of tokens begins and ends."""
    from infoscope.base.errors import ParameterError

    if (window is None) == (pool == "window"):
        raise ParameterError("--pool window and --window START:STOP go together, as in --window=-5:")
    if window is None:
        return 0, None
    found = re.fullmatch(r"(-?\d+)?:(-?\d+)?", window)
    if found is None:
        raise ParameterError(f"--window is START:STOP, as in 0:5 or -5:, not '{window}'")
    return int(found[1] or 0), None if found[2] is None else int(found[2])


def _refuse_stores(name: str) -> None:
    from infoscope.base.errors import ParameterError
    from infoscope.storage.manifest import MANIFEST

    if (Path(name) / MANIFEST).is_file() or Path(name).suffix.lower() == ".npz":
        raise ParameterError(f"{name} holds layers that are there: leave out --texts, --against and --images")


class _LoadedOnce:
    """Models by their path, read when one is needed, and kept for the other side."""

    def __init__(self) -> None:
        self._models: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        from infoscope.representations import load_model

        if name not in self._models:
            self._models[name] = load_model(name)
        return self._models[name]


def _extract(
    side: str, name: str, loaded: _LoadedOnce, items: LayerItems, asked: Extraction, pool: str | None, folder: Path
) -> Layers:
    """Layers of a model on items, from a store that is there or is made."""
    from infoscope.base.errors import InfoscopeError
    from infoscope.io.files_read import reading
    from infoscope.representations import RepresentationStore, extract
    from infoscope.representations.model_files import model_paths
    from infoscope.storage import write_json

    place, options = folder / f"{side}-{_stem(name)}-{items.name}", asked.options(pool)
    files, found = [*model_paths(name), *items.files], place.exists()
    with reading(*files):
        record = _record(files, items, options)
        whole = _is_whole(place, record)
        going = " (which is whole)" if whole else " (which goes on)" if found else ""
        typer.echo(f"{side}  {name} on {items.words}; layers are kept in {place}{going}")
        try:
            if whole:
                store = RepresentationStore.open(place)
            else:
                folder.mkdir(parents=True, exist_ok=True)
                store = extract(loaded[name], None, items.values, place, ids=items.ids, **options)
                write_json(_beside(place), record)
        except InfoscopeError as error:
            if found and str(error).startswith(str(place)):
                raise type(error)(f"{error}: delete it, or name another folder with --store-dir") from error
            raise
    return Layers(store.arrays(), files, store, store.pools[0], {"model": name, **items.about})


def _record(files: list[Path], items: LayerItems, options: dict[str, Any]) -> dict[str, Any]:
    """What a store is made from: a store that is whole, of the same, needs no model."""
    from infoscope.base import versions
    from infoscope.io.files_read import digest_when_read

    hashes = {str(path): digest_when_read(path)["hash"] for path in files if path.exists()}
    return {
        "files": hashes,
        "ids": [str(one) for one in items.ids],
        "about": items.about,
        "options": {key: one for key, one in options.items() if key != "device"},
        "infoscope": versions()["infoscope"],
    }


def _is_whole(place: Path, record: dict[str, Any]) -> bool:
    """Whether a store was made from this to its end."""
    from infoscope.storage import read_json

    beside = _beside(place)
    if not place.is_dir() or not beside.is_file():
        return False
    try:
        return bool(read_json(beside) == record)
    except ValueError:  # half a file: the store itself says what is there
        return False


def _beside(place: Path) -> Path:
    return place.with_name(f"{place.name}.json")


def _stem(model: str) -> str:
    """A model by the name of its folder or file, as it was given."""
    path = Path(model) if Path(model).name.strip(".") else Path(model).resolve()
    return path.name if path.is_dir() else path.stem
