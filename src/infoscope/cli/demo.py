"""``infoscope demo``: five questions to a molecule and a table, each answered in a sentence and a picture."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from .demo_questions import Map

PICTURE, PAGE = Path("infoscope-demo.png"), Path("infoscope-demo.html")
TABLE, FRAMES, STATES = (Path(f"infoscope-demo{suffix}") for suffix in (".csv", ".pdb", ".npz"))
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

    Takes some fifteen seconds, needs no network, and leaves in this folder a picture, a page of the states to explore,
    the frames of the molecule and the table.
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
    _write_states(next(answer for answer in answers if isinstance(answer, demo_questions.Map)))
    typer.echo(f"\nNext, with the wines in {TABLE} (columns count from 0), as it stands here:\n\n{_as_called(NEXT)}")
    typer.echo(f"\nThen with your own files. What changed between two samples:\n\n{_as_called(TWO_SAMPLES)}")


def _write_table() -> None:
    """The wines and their cultivars, as a file to go on with."""
    from infoscope.datasets import load_wine
    from infoscope.storage import atomic_path

    wines, cultivar = load_wine()
    with atomic_path(TABLE) as temporary:
        wines.assign(cultivar=cultivar).to_csv(temporary, index=False)


def _write_states(found: Map) -> None:
    """The states of the molecule beside its frames: kept, as a page, and the command that fetches those of one."""
    from infoscope.io import save

    from .demo_questions import left_handed, states_in

    states, left = states_in(found, FRAMES), left_handed(found)
    save(states, STATES)
    if find_spec("bokeh") is None:
        _say_missing("page", "report", f"infoscope report {STATES} -o {PAGE}")
    else:
        from infoscope.report import write_page

        write_page(states, PAGE, saved_as=str(STATES))
        typer.echo(f"page: {PAGE} (the states of question 2: open it in a browser, choose one, take its frames along)")
    fetch = f"infoscope extract {STATES} --state {left} -o state.pdb"
    if find_spec("MDAnalysis") is None:
        _say_missing("structures", "md", fetch)
    else:
        told = "Its frames, by the command that the page has when it is chosen:"
        typer.echo(f"\nThe left-handed state is {left}. {told}\n\n{_as_called(f'  {fetch}')}")


def _say_missing(what: str, extra: str, command: str) -> None:
    typer.echo(f'{what}: pip install "infoscope[{extra}]", then\n\n{_as_called(f"  {command}")}\n')


def _as_called(commands: str) -> str:
    """Commands that run in this shell: where it finds no infoscope, with the path of the one that runs."""
    beside = shutil.which("infoscope", path=str(Path(sys.executable).parent))
    if shutil.which("infoscope") or beside is None:
        return commands
    here = Path.cwd()
    program = Path(beside).relative_to(here) if Path(beside).is_relative_to(here) else beside
    return re.sub(r"^  infoscope ", lambda _: f"  {shlex.quote(str(program))} ", commands, flags=re.MULTILINE)
