"""``infoscope demo``: the question, asked of data that everybody can picture, answered in a few seconds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from infoscope.imbalance import ImbalanceMatrix
    from infoscope.neighbors import Space

PICTURE = Path("infoscope-demo.png")
NEXT = "infoscope compare --space A=mydata.csv:0-4 --space B=mydata.csv:5-9 --scale standard --plot mydata.png"
WORDS = {
    "pixels": "the grey value of every pixel",
    "10 components": "the ten main ways in which the images differ (PCA)",
    "quarters": "the mean grey of each quarter of the image",
    "shades": "all the grey values, sorted: without their places",
}
TOLD = (("pixels", "10 components"), ("pixels", "quarters"), ("pixels", "shades"), ("quarters", "shades"))

IN_WORDS = (
    "In plain words: ten well-chosen numbers can stand for all 64 pixels;\n"
    "64 grey values without their places say less about the image than four with theirs."
)


def demo() -> None:
    """See it work on real data: four descriptions of the same images. Which tells most about the others?

    Takes a few seconds, needs no network, and saves a picture in this folder.
    """
    from infoscope.cli.show import messages, save_picture, show_result
    from infoscope.datasets import digit_descriptions
    from infoscope.imbalance import imbalance_matrix
    from infoscope.neighbors import Space

    descriptions, digit = digit_descriptions()
    spaces = {name: Space(frame, name=name) for name, frame in descriptions.items()}
    _introduce(spaces)
    with messages(quiet=False) as said:
        # Window 0: the images come in no order that means anything, so none is too close to another to count.
        result = imbalance_matrix(spaces, exclusion_window=0)
        classes = imbalance_matrix(spaces, {"digit": Space.from_labels(digit, name="digit")}, exclusion_window=0)
        show_result(result, said)
        typer.echo("\nPair by pair:")
        for first, second in TOLD:
            typer.echo(f"  {result.pair(first, second).verdict}")
        typer.echo(f"\n{IN_WORDS}\n\n{_check(classes)}")
        save_picture(result, PICTURE, kind="plane")
    typer.echo(f"\npicture: {PICTURE} (a point is a pair; the nearer to an axis, the better one predicts the other)")
    typer.echo(f"\nNext, your own data (columns count from 0; the first line holds their names):\n\n  {NEXT}")


def _introduce(spaces: dict[str, Space]) -> None:
    n_items = len(spaces["pixels"])
    typer.echo(f"{n_items} images of handwritten digits, each described in {len(spaces)} ways:\n")
    width = max(len(name) for name in spaces)
    for name, space in spaces.items():
        typer.echo(f"  {name:<{width}}  {space.n_features:2} numbers  {WORDS[name]}")
    typer.echo("\nImages that are close in one description: are they close in another?")
    typer.echo("Δ near 0: yes, the first predicts the second.  Δ near 1: no more than by chance.")


def _check(classes: ImbalanceMatrix) -> str:
    """A test that needs no statistics: how often the nearest image shows the same digit.

    For labels, k = 1 and N items, Delta = floor + (N - 1)/N (1 - share); the floor is the sum of squared class shares.
    """
    n = classes.n_items
    floors: Any = classes.floors
    shares = 1 - (classes.values - floors)[:, 0] * n / (n - 1)
    said = ", ".join(f"{name} {100 * share:.0f} %" for name, share in zip(classes.names, shares, strict=True))
    question = (
        "A check: no description was told which digit an image shows. How often does the nearest image show the same?"
    )
    return f"{question}\n  {said} (by chance: 10 %)"
