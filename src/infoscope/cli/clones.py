"""``infoscope clones``: models of rising order of a text, their clones, and when a transformer learns them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from .options import Delivery, Jobs, Seed, count, value, with_groups, word

PARTS = 50  # that a single text is cut into, so that some can be held out
SHORTEST_PART = 10  # windows of it, if every character were a token
TEST_SHARE = 0.1
KINDS = "losses|curves|accuracy|orders|clock"  # the first of a ladder, the others of --study
DEFAULT_TOKENIZER = "characters:60"


@with_groups
def clones(
    texts: Annotated[list[str], typer.Argument(metavar="TEXT", help=".txt: one document; TABLE:COLUMN: a row each")],
    *,
    orders: Annotated[str, value("N[,N...]", "Orders of interaction, one model each.")] = "1,2,3",
    tokenizer: Annotated[
        str | None, value("KIND", "characters, characters:60 (default), bpe:512; of a --study FOLDER its own.")
    ] = None,
    length: Annotated[int, count(2, "Tokens of a window.")] = 32,
    heads: Annotated[int, count(1, "Of every order of a model.")] = 32,
    steps: Annotated[int, count(1, "Of the training of a model.")] = 1000,
    weight_decay: Annotated[float, value("W", "Closes wells of high orders that chains fall into.", least=0)] = 0.0,
    sequences: Annotated[int, count(4, "Of a clone.")] = 400,
    sampler: Annotated[
        str,
        word("gibbs|tempered|mh_pl|mh_paper", "Of clones; tempered, ten times the time, where barriers hold chains."),
    ] = "gibbs",
    max_sweeps: Annotated[int, count(8, "Sweeps after which a clone is given up.")] = 1000,
    study: Annotated[
        str | None, value("encoder|decoder|FOLDER", "A small transformer, or checkpoints, to test.")
    ] = None,
    study_steps: Annotated[int, count(2, "Of its training.")] = 2000,
    resume: Annotated[str | None, value("FOLDER", "Keep trained models there; go on from them.")] = None,
    clone_dir: Annotated[
        str | None,
        value("FOLDER", "Write there order-2.txt, a sequence a line, and order-2.html, changes marked.", "--clones"),
    ] = None,
    out: Annotated[
        Delivery,
        {"output": "The answer: .json (for rerun), .npz (for infoscope.load), .csv, .parquet, .html (a page)."},
    ],
    kind: Annotated[str | None, word(KINDS, "Of the picture. Default: losses, of --study curves.")] = None,
    device: Annotated[str | None, value("DEVICE", "cuda: draw clones there. Default: on the processors.")] = None,
    seed: Seed = 0,
    jobs: Jobs = None,
) -> None:
    """How much of a text needs two tokens at once, how much three, and when does a transformer learn which?

    Trains a model of each order, tests it on documents that were left out, and draws a clone of each: sequences that
    have interactions up to that order and no more. With --study a small transformer is trained on the text and tested
    on the clones along its training; of a FOLDER with checkpoint-500, ... and their tokenizer, the models in it are.

    Example: infoscope clones book.txt --orders 1,2,3 --study encoder --resume models --plot curves.png
    """
    from infoscope.base.errors import DataError
    from infoscope.clones import (
        CloneLadder,
        InteractionModel,
        StudyTransformer,
        learning_curves,
        token_windows,
        train_tokenizer,
    )

    from .deliver import check_targets, deliver
    from .messages import messages

    asked, folder = _read_orders(orders), _folder_of(study)
    _check_options(tokenizer, kind, study, folder, out)
    check_targets(out)
    targets = None if clone_dir is None else _folder_to_write(clone_dir)
    with messages(out.quiet):
        documents, files = _read_documents(texts, length)
        if len(set().union(*documents)) == 1:
            raise DataError(f"{', '.join(texts)}: one character again and again tells nothing; pass another text")
        checkpoints: dict[int, Any] = {}
        if folder is None:
            known = train_tokenizer(documents, tokenizer or DEFAULT_TOKENIZER)
        else:
            known, checkpoints = _read_models(folder)
            files += sorted(folder.glob("*/*.safetensors"))
        windows = token_windows(documents, known, length)
        train, test = windows.split(TEST_SHARE, random_state=seed)
        start, document = (_evenly(rows, sequences) for rows in (test.tokens, test.document))
        _check_enough(test.document, document, length, studied=study is not None)
        model = InteractionModel(
            n_heads=heads, n_steps=steps, weight_decay=weight_decay, positions="relative",
            n_tokens=known.n_tokens, random_state=seed,
        )  # fmt: skip
        ladder = CloneLadder(asked, model=model).fit(train.tokens, checkpoint=resume, resume=resume is not None)
        drawn = ladder.sample(
            start, sampler=sampler, max_sweeps=max_sweeps, random_state=seed, n_jobs=jobs, device=device
        )  # fmt: skip
        losses = ladder.compare(test.tokens, document=test.document, clones=drawn)
        if targets is not None:
            _write_clones(targets, start, drawn, known)
        inputs: dict[str, Any] = {"n_train": len(train), "n_test": len(test), "n_tokens": known.n_tokens}
        if study is None:
            found: Any = losses
        else:
            typer.echo(str(losses))
            inputs |= {"order_loss": losses.loss.tolist(), "order_loss_se": losses.loss_se.tolist()}
            certified = _certified(drawn)
            if folder is None:
                network = StudyTransformer(study, n_steps=study_steps, random_state=seed)
                file = None if resume is None else Path(resume) / f"{study}.npz"
                network.fit(train.tokens, n_tokens=known.n_tokens, checkpoint=file, resume=file is not None)
                checkpoints = network.checkpoints_
            found = learning_curves(checkpoints, certified, start, document=document, random_state=seed)
        deliver(found, out, inputs, files, **({"kind": kind} if kind else {}))


# --------------------------------------------------------------------------------------------------------------- steps
def _read_orders(text: str) -> list[int]:
    from infoscope.base.errors import ParameterError

    parts = text.split(",")
    if not all(part.strip().isdigit() and int(part) > 0 for part in parts):
        raise ParameterError(f"--orders is whole numbers from 1, separated by commas, as in 1,2,3; not '{text}'")
    return [int(part) for part in parts]


def _folder_of(study: str | None) -> Path | None:
    """Where checkpoints are, if they are to be read."""
    from infoscope.base.errors import ParameterError

    if study in (None, "encoder", "decoder"):
        return None
    folder = Path(str(study))
    if not folder.is_dir():
        raise ParameterError(
            f"--study is encoder, decoder or a folder of checkpoints, and there is no folder '{study}'"
        )
    return folder


def _check_options(
    tokenizer: str | None, kind: str | None, study: str | None, folder: Path | None, out: Delivery
) -> None:
    """Raise where an option would be ignored, or could not be followed after hours of training."""
    from infoscope.base.errors import ParameterError

    if folder is not None and tokenizer is not None:
        raise ParameterError(
            f"--tokenizer {tokenizer} does not go with --study {folder}: the models there know their own tokens; "
            "leave it out"
        )
    if kind is None:
        return
    if out.plot is None:
        raise ParameterError(f"--kind {kind} says which picture is drawn: it goes with --plot FILE")
    kinds = KINDS.split("|")[:1] if study is None else KINDS.split("|")[1:]
    if kind not in kinds:
        asked = "without --study" if study is None else "with --study"
        raise ParameterError(f"--kind {kind} is no picture of what is found {asked}: {', '.join(kinds)}")


def _folder_to_write(name: str) -> Path:
    """A folder that is there, or can be made: found out before any training."""
    from infoscope.base.errors import ParameterError

    folder = Path(name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ParameterError(f"--clones {name} is a folder to write to: {error}") from error
    return folder


def _read_models(folder: Path) -> tuple[Any, dict[int, Any]]:
    """Tokenizer and conditionals of the checkpoints in a folder."""
    from infoscope.clones import checkpoint_conditionals, read_tokenizer

    known = read_tokenizer(folder)
    return known, checkpoint_conditionals(folder, known.n_tokens)


def _check_enough(test: Any, drawn: Any, length: int, *, studied: bool) -> None:
    """Raise before any training where its errors could not be told afterwards."""
    from infoscope.base.errors import DataError
    from infoscope.clones.clone_sampling import FEWEST_CHAINS
    from infoscope.clones.documents import error_units

    way_out = f"pass more text, or shorter windows (--length, {length} now)"
    if len(drawn) < FEWEST_CHAINS:
        raise DataError(
            f"{len(drawn)} windows are left to test with and to begin clones at, and {FEWEST_CHAINS} are needed: "
            f"{way_out}"
        )
    for which, option in ((test, ""), (drawn, " or more --sequences")) if studied else ((test, ""),):
        try:
            error_units(which, len(which))
        except DataError as error:
            n = len(set(which.tolist()))
            raise DataError(
                f"errors need windows of 20 documents, or 40 windows, and to test with there are {len(which)} of {n}: "
                f"{way_out}{option}"
            ) from error


def _certified(drawn: dict[int, Any]) -> dict[int, Any]:
    """The clones that have converged; the others are named, and without any a training cannot be followed."""
    from infoscope.base.errors import DataError, warn

    for order, clone in drawn.items():
        if not clone.converged:
            warn(f"the clone of order {order} is left out: {clone.verdict}")
    certified = {order: clone for order, clone in drawn.items() if clone.converged}
    if not certified:
        raise DataError(
            "no clone has converged, so there is nothing to follow the training on: raise --max-sweeps, or take "
            "--sampler tempered; with --resume FOLDER the models need no second training"
        )
    return certified


def _write_clones(folder: Path, start: Any, drawn: dict[int, Any], tokenizer: Any) -> None:
    """Sequences of every clone as text, a line each; and what changed of where chains from data began."""
    from html import escape

    from infoscope.base.errors import warn
    from infoscope.clones import changed_tokens
    from infoscope.storage import atomic_path

    def line(row: Any) -> str:
        """Line breaks are written as in a string of Python, so that a sequence stays one line."""
        text = tokenizer.decode(row).replace("\\", "\\\\")
        return str(text.replace("\n", "\\n").replace("\r", "\\r"))

    for order, clone in drawn.items():
        if not clone.converged:
            warn(f"{folder / f'order-{order}.txt'} holds a clone that has NOT CONVERGED")
        changed = changed_tokens(start[clone.from_data], clone.tokens[clone.from_data], decode=tokenizer.decode)
        head = f'<!DOCTYPE html>\n<meta charset="utf-8">\n<title>{clone._title}</title>'
        for name, text in (
            (f"order-{order}.txt", "".join(f"{line(row)}\n" for row in clone.tokens)),
            (f"order-{order}.html", f"{head}\n<p>{escape(clone.verdict)}</p>\n{changed}\n"),
        ):
            with atomic_path(folder / name) as temporary:
                temporary.write_text(text, encoding="utf-8", newline="\n")


def _read_documents(texts: list[str], length: int) -> tuple[list[str], list[Path]]:
    """One text a file or a row; a single text in parts, each of some windows."""
    from infoscope.io.texts import PLAIN_LINES, read_document, read_texts

    documents, files = [], []
    for name in texts:
        path, _, column = name.partition(":") if not Path(name).exists() else (name, "", "")
        files.append(Path(path))
        plain = str(path).lower().endswith(PLAIN_LINES)
        documents += [read_document(path)] if plain else read_texts(path, column or None)
    if len(documents) == 1:
        text, n = documents[0], len(documents[0])
        parts = max(2, min(PARTS, n // (SHORTEST_PART * length)))
        documents = [text[n * part // parts : n * (part + 1) // parts] for part in range(parts)]
    return documents, files


def _evenly(rows: Any, most: int) -> Any:
    import numpy as np

    return rows[np.unique(np.linspace(0, len(rows) - 1, min(most, len(rows))).round().astype(int))]
