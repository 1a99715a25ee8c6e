"""Options that several commands have, declared once: the same name, words and limits everywhere."""

from __future__ import annotations

from typing import Annotated

import typer

Texts = list[str] | None

Files = Annotated[
    Texts, typer.Argument(metavar="FILE[:COLUMNS]...", help="The data; several files are runs of one trajectory.")
]
Scale = Annotated[str | None, typer.Option(metavar="standard|none", help="Divide columns by their standard deviation.")]
Period = Annotated[Texts, typer.Option(metavar="[COLUMNS=]VALUE", help="Period of columns: phi=360deg, 2pi.")]
Start = Annotated[int | None, typer.Option(min=0, metavar="N", help="First row.")]
Stop = Annotated[int | None, typer.Option(min=0, metavar="N", help="Row to stop before.")]
Stride = Annotated[int | None, typer.Option(min=1, metavar="N", help="Use every n-th row.")]
Time = Annotated[str | None, typer.Option(metavar="COLUMN|FILE|STEP", help="When a row was seen.")]
Run = Annotated[str | None, typer.Option(metavar="COLUMN|FILE", help="Which run a row is of.")]
Weights = Annotated[str | None, typer.Option(metavar="COLUMN|FILE", help="Statistical weights of the rows.")]
Missing = Annotated[str, typer.Option(metavar="raise|drop", help="Rows with missing values.")]
Seed = Annotated[int, typer.Option(min=0, metavar="N", help="Of all random choices.")]
Jobs = Annotated[int | None, typer.Option(metavar="N", help="Threads. Default: all it may use.")]
Output = Annotated[Texts, typer.Option(metavar="FILE", help="Save: .json, .npz (whole), .csv, .parquet.")]
Plot = Annotated[str | None, typer.Option(metavar="FILE", help="Save a picture: .png, .svg, .pdf.")]
Style = Annotated[str, typer.Option(metavar="screen|paper", help="Of the picture.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No hints and no progress.")]
