"""The page of the demonstration, as its reader uses it: from a state on the map to structures."""

import shlex
from pathlib import Path

import numpy as np
import pytest
from tests.cli.test_demo import assert_left_handed
from tests.report.browser import opened

from infoscope.cli import main
from infoscope.cli.demo import PAGE, STATES, _write_states
from infoscope.cli.demo_questions import free_energy

pytestmark = pytest.mark.browser


def test_from_the_page_to_the_left_handed_structures(started, tmp_path, monkeypatch, capsys):
    """Offline: the state at positive phi is found with a box on the map, chosen, and its command run word for word."""
    pytest.importorskip("MDAnalysis", reason="MDAnalysis is not installed (extra md)")
    monkeypatch.chdir(tmp_path)
    found = free_energy()
    _write_states(found)
    with opened(started, tmp_path / PAGE) as page:
        page.locator("summary").press("Enter")
        for field, value in (("x from", 0.3), ("x to", 1.8), ("y from", -0.5), ("y to", 1.5)):
            page.get_by_label(field).fill(str(value))
        page.get_by_role("button", name="Select", exact=True).press("Enter")
        phi, psi = found.angles.T
        inside = (phi >= 0.3) & (phi <= 1.8) & (psi >= -0.5) & (psi <= 1.5)
        assert page.locator(".size").inner_text().startswith(f"{inside.sum()} of 4,800 points selected")
        state = page.locator(".selection tbody th").first.inner_text()  # all in there, or nearly, are of one state
        page.get_by_role("button", name=f"{state}:").press("Enter")
        command = page.locator("#extract-1").inner_text()
        share = page.locator(".size").inner_text()
    assert command == f"infoscope extract {STATES} --{state} -o state.pdb"
    weight = np.asarray(found.states.populations)[int(state.split()[1])]
    assert f"{100 * weight:.3g} % of the weight" in share
    capsys.readouterr()
    assert main(shlex.split(command)[1:]) == 0, capsys.readouterr().err
    assert_left_handed(Path("state.pdb"), found)
