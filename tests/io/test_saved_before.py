"""Files of an earlier version load, and give the numbers they gave then, wherever their classes live now."""

import json
from pathlib import Path

import numpy as np
import pytest

import infoscope

FOLDER = Path(__file__).parent / "files" / "version_0_1"
WRITTEN = json.loads((FOLDER / "expected.json").read_text())
METHODS = ("transform", "score_samples")  # asked anew, of rows that the fit did not see; all else are attributes


@pytest.mark.parametrize("name", sorted(WRITTEN["numbers"]))
def test_a_file_saved_by_version_0_1_gives_the_same_numbers(name):
    loaded = infoscope.load(FOLDER / f"{name}.npz")
    for what, expected in WRITTEN["numbers"][name].items():
        asked_anew = what in METHODS
        found = getattr(loaded, what)(np.array(WRITTEN["new_rows"])) if asked_anew else getattr(loaded, what)
        # what is stored comes back to the bit; what is computed again may differ in the last digits of a processor
        np.testing.assert_allclose(np.ravel(found).astype(float), expected, rtol=1e-9 if asked_anew else 0, atol=0)
