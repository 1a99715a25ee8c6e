"""``infoscope demo``: five questions to a molecule and a table, each answered in a sentence and a picture."""

from __future__ import annotations

from pathlib import Path

import typer

PICTURE = Path("infoscope-demo.png")
NEXT = """\
  infoscope compare --space A=mydata.csv:0-4 --space B=mydata.csv:5-9 --scale standard --plot mydata.png
  infoscope shares mydata.csv:0-4 mydata.csv:5-9 --plot shares.png
  infoscope density mydata.csv:0-4 --scale standard --states --plot states.png
  infoscope drift reference.csv mydata.csv --plot drift.png
  infoscope anomalies reference.csv:0-4 mydata.csv --scale standard --output flagged.csv --plot regions.png
  infoscope select mydata.csv:0-8 --target 9 --size auto --plot few.png"""
SCALE = """\
Δ(A → B) asks: are items that are close in A close in B as well?
Δ near 0: yes, A tells about B.  Δ near 1: no more than by chance."""


def demo() -> None:
    """See it work: a molecule, its states, what heat does, a table of wines. Five questions and answers, a picture.

    Takes some fifteen seconds, needs no network, and saves a picture in this folder.
    """
    from . import demo_picture, demo_questions
    from .messages import messages

    typer.echo(SCALE)
    with messages(quiet=False):
        answers = []
        for number, question in enumerate(demo_questions.QUESTIONS, start=1):
            answers.append(question())
            typer.echo(f"\n{number}. {answers[-1].text}")
        demo_picture.save(answers, PICTURE)
    typer.echo(f"\npicture: {PICTURE}")
    typer.echo(f"\nNext, your own data (columns count from 0; the first line holds their names):\n\n{NEXT}")
