"""Rows behind an answer, in files of their own."""

import numpy as np
import pandas as pd

import infoscope
from infoscope.io import read_table, write_items


def test_columns_of_text_are_written_to_npz_and_load_without_pickle(tmp_path):
    x = np.random.default_rng(1).normal(size=(60, 2))
    frame = pd.DataFrame({"x": x[:, 0], "site": [f"München {row}" for row in range(60)], "y": x[:, 1]})
    frame["seen"] = [True, False] * 30
    frame.loc[4, "site"] = None
    frame.to_csv(tmp_path / "a.csv", index=False)
    fitted = infoscope.PAk(dimension=2).fit(read_table(tmp_path / "a.csv", columns="x,y").to_space())
    result = infoscope.load(infoscope.save(fitted.result_, tmp_path / "a.npz"))
    path = write_items(result.origin, [7, 4, 2], tmp_path / "rows.npz", columns={"state": np.repeat(["a", "bb"], 30)})
    with np.load(path, allow_pickle=False) as written:
        assert np.array_equal(written["values"], frame[["x", "y"]].to_numpy()[[7, 4, 2]])
        texts = dict(zip(written["text_names"].tolist(), written["texts"].T.tolist(), strict=True))
        assert texts["site"] == ["München 7", "", "München 2"]
        assert {*texts, *written["names"].tolist()} == set(frame.columns)
        assert texts["seen"] == ["False", "True", "True"] and written["state"].tolist() == ["a", "a", "a"]
