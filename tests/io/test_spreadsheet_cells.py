"""Cells of written tables: text that a spreadsheet would run is text there, numbers are numbers."""

import csv
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

import infoscope
from infoscope.base import Result
from infoscope.io import save_figure, write_result
from infoscope.io.spreadsheet_cells import csv_text


@dataclass(frozen=True)
class Named(Result):
    frame: Any

    def to_frame(self):
        return self.frame


@pytest.mark.parametrize(
    "cell", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("x")', "-"]
)
def test_cells_that_would_run(tmp_path, cell):
    frame = pd.DataFrame({cell: [cell, "phi"], "value": [-1.5, np.nan]})
    with write_result(Named(frame), tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    text = "'" + cell.replace("\r", "\n")
    assert rows == [[text, "value"], [text, "-1.5"], ["phi", ""]]


def test_numbers_stay_numbers():
    frame = pd.DataFrame({"a": [-1, 2], "b": ["-1.5", "+2e3"], "c": pd.Series([-1.5, "=x"], dtype=object)})
    assert csv_text(frame) == "a,b,c\n-1,-1.5,-1.5\n2,+2e3,'=x\n"
    assert csv_text(pd.DataFrame({"a": ["x\r=1", "y"]})) == 'a\n"x\n=1"\ny\n'  # no line begins inside a cell
    # others: categories, and names that come twice
    frame = pd.DataFrame(np.array([["=a", "b"]]), columns=["x", "x"]).astype("category")
    assert csv_text(frame) == "x,x\n'=a,b\n"


def test_the_numbers_beside_a_picture(tmp_path):
    x = np.random.default_rng(0).normal(size=(60, 3))
    matrix = infoscope.imbalance_matrix({"=A": x, "@B": x[:, :2]}, exclusion_window=0)
    save_figure(matrix, tmp_path / "a.pdf")
    cells = (tmp_path / "a.csv").read_text().replace("\n", ",").split(",")
    assert "'=A" in cells and not any(cell.startswith(("=", "@")) for cell in cells)
