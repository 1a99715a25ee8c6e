"""``infoscope demo``: five questions to a molecule and a table, each answered in a sentence and a picture."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from pathlib import Path

import typer

PICTURE = Path("infoscope-demo.png")
TABLE = Path("infoscope-demo.csv")
NEXT = f"""\
  infoscope compare --space A={TABLE}:0-4 --space B={TABLE}:5-9 --scale standard --plot compared.png
  infoscope shares {TABLE}:0-4 {TABLE}:5-9 --plot shares.png
  infoscope density {TABLE}:0-12 --scale standard --states --plot states.png
  infoscope select {TABLE}:0-12 --target cultivar --size auto --plot few.png"""
TWO_SAMPLES = """\
  infoscope drift REFERENCE.csv DATA.csv --plot drift.png
  infoscope anomalies REFERENCE.csv:0-4 DATA.csv --scale standard --output flagged.csv --plot regions.png"""
SCALE = """\
Δ(A → B) asks: are items that are close in A close in B as well?
Δ near 0: yes, A tells about B.  Δ near 1: no more than by chance."""


def demo() -> None:
    """See it work: a molecule, its states, what heat does, a table of wines. Five questions and answers, a picture.

    Takes some fifteen seconds, needs no network, and leaves a picture and the table in this folder.
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
    _write_table()
    typer.echo(f"\npicture: {PICTURE}")
    typer.echo(f"\nNext, with the wines in {TABLE} (columns count from 0), as it stands here:\n\n{_as_called(NEXT)}")
    typer.echo(f"\nThen with your own files. What changed between two samples:\n\n{_as_called(TWO_SAMPLES)}")


def _write_table() -> None:
    """The wines and their cultivars, as a file to go on with."""
    from infoscope.datasets import load_wine
    from infoscope.storage import atomic_path

    wines, cultivar = load_wine()
    with atomic_path(TABLE) as temporary:
        wines.assign(cultivar=cultivar).to_csv(temporary, index=False)


def _as_called(commands: str) -> str:
    """Commands that run in this shell: where it finds no infoscope, with the path of the one that runs."""
    beside = shutil.which("infoscope", path=str(Path(sys.executable).parent))
    if shutil.which("infoscope") or beside is None:
        return commands
    here = Path.cwd()
    program = Path(beside).relative_to(here) if Path(beside).is_relative_to(here) else beside
    return re.sub(r"^  infoscope ", lambda _: f"  {shlex.quote(str(program))} ", commands, flags=re.MULTILINE)
