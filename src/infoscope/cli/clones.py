"""``infoscope clones``: models of rising order of a text, their clones, and when a transformer learns them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from .options import Delivery, Jobs, Seed, count, value, with_groups, word

PARTS = 50  # that a single text is cut into, so that some can be held out
TEST_SHARE = 0.1
KINDS = "losses|curves|clock"


@with_groups
def clones(
    texts: Annotated[list[str], typer.Argument(metavar="TEXT", help=".txt: one document; TABLE:COLUMN: a row each")],
    *,
    orders: Annotated[str, value("N[,N...]", "Orders of interaction, one model each.")] = "1,2,3",
    tokenizer: Annotated[str, value("KIND", "characters, characters:60, bpe:512.")] = "characters:60",
    length: Annotated[int, count(2, "Tokens of a window.")] = 32,
    heads: Annotated[int, count(1, "Of every order of a model.")] = 32,
    steps: Annotated[int, count(1, "Of the training of a model.")] = 1000,
    weight_decay: Annotated[float, value("W", "Closes wells of high orders that chains fall into.", least=0)] = 0.0,
    sequences: Annotated[int, count(4, "Of a clone.")] = 400,
    max_sweeps: Annotated[int, count(8, "Sweeps after which a clone is given up.")] = 1000,
    study: Annotated[
        str | None, value("encoder|decoder|FOLDER", "A small transformer, or checkpoints, to test.")
    ] = None,
    study_steps: Annotated[int, count(2, "Of its training.")] = 2000,
    resume: Annotated[str | None, value("FOLDER", "Keep trained models there; go on from them.")] = None,
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
    from infoscope.base.errors import warn
    from infoscope.clones import (
        CloneLadder,
        InteractionModel,
        StudyTransformer,
        checkpoint_conditionals,
        learning_curves,
        read_tokenizer,
        token_windows,
        train_tokenizer,
    )

    from .deliver import check_targets, deliver
    from .messages import messages

    asked, folder = _read_orders(orders), _folder_of(study)
    check_targets(out)
    with messages(out.quiet):
        documents, files = _read_documents(texts)
        known = train_tokenizer(documents, tokenizer) if folder is None else read_tokenizer(folder)
        conditionals = {} if folder is None else checkpoint_conditionals(folder, known.n_tokens)
        files += [] if folder is None else sorted(folder.glob("*/*.safetensors"))
        windows = token_windows(documents, known, length)
        train, test = windows.split(TEST_SHARE, random_state=seed)
        model = InteractionModel(
            n_heads=heads, n_steps=steps, weight_decay=weight_decay, positions="relative",
            n_tokens=windows.tokenizer.n_tokens, random_state=seed,
        )  # fmt: skip
        ladder = CloneLadder(asked, model=model).fit(train.tokens, checkpoint=resume, resume=resume is not None)
        start = _evenly(test.tokens, sequences)
        drawn = ladder.sample(start, max_sweeps=max_sweeps, random_state=seed, n_jobs=jobs, device=device)
        found: Any = ladder.compare(test.tokens, document=test.document, clones=drawn)
        if study is not None:
            typer.echo(str(found))
            if folder is None:
                network = StudyTransformer(study, n_steps=study_steps, random_state=seed)
                conditionals = network.fit(train.tokens, n_tokens=windows.tokenizer.n_tokens).checkpoints_
            for order, clone in drawn.items():
                if not clone.converged:
                    warn(f"the clone of order {order} is left out: {clone.verdict}")
            certified = {order: clone for order, clone in drawn.items() if clone.converged}
            found = learning_curves(
                conditionals, certified, start, document=_evenly(test.document, sequences), random_state=seed
            )
        inputs = {"n_train": len(train), "n_test": len(test), "n_tokens": windows.tokenizer.n_tokens}
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


def _read_documents(texts: list[str]) -> tuple[list[str], list[Path]]:
    """One text a file or a row; a single text in parts."""
    from infoscope.io.texts import PLAIN_LINES, read_document, read_texts

    documents, files = [], []
    for name in texts:
        path, _, column = name.partition(":") if not Path(name).exists() else (name, "", "")
        files.append(Path(path))
        plain = str(path).lower().endswith(PLAIN_LINES)
        documents += [read_document(path)] if plain else read_texts(path, column or None)
    if len(documents) == 1:
        text, n = documents[0], len(documents[0])
        documents = [text[n * part // PARTS : n * (part + 1) // PARTS] for part in range(PARTS)]
    return documents, files


def _evenly(rows: Any, most: int) -> Any:
    import numpy as np

    return rows[np.unique(np.linspace(0, len(rows) - 1, min(most, len(rows))).round().astype(int))]
