"""The explorer in a browser: what is selected, what is said of it, and what is handed over."""

import csv
import io
import json
import re
import shlex
from dataclasses import replace

import numpy as np
import pytest
from tests.report.browser import PATIENCE, opened
from tests.report.test_page import HOSTILE

import infoscope
from infoscope.cli import main
from infoscope.density import DensityPeaks, PAk

pytestmark = pytest.mark.browser


def saved_csv(page):
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download CSV").click()
    assert waiting.value.suggested_filename == "selection.csv"
    return waiting.value.path().read_text("utf-8")


def test_enter_on_a_row_of_the_table_selects_its_state(states, started, tmp_path):
    """Size, share of the weight, the table and the bars follow; the share is that of the weights given."""
    with opened(started, states.to_html(tmp_path / "page.html")) as page:
        page.locator("tr[data-group='1'] button").focus()
        page.keyboard.press("Enter")
        members = np.flatnonzero(states.labels == 1)
        weight = np.where(np.arange(120) < 60, 1.0, 3.0)
        share = f"{float(f'{100 * weight[members].sum() / weight.sum():.3g}'):g} %"
        assert page.locator(".size").inner_text() == f"{len(members)} of 120 points selected, {share} of the weight."
        assert page.locator("tr[data-group='1'] button").get_attribute("aria-pressed") == "true"
        assert page.locator("tr[data-group='0'] button").get_attribute("aria-pressed") == "false"
        rows = list(csv.DictReader(io.StringIO(saved_csv(page))))
        assert [int(row["item"]) for row in rows] == members.tolist()
        np.testing.assert_allclose([float(row["column 0"]) for row in rows], states.coordinates[members, 0], rtol=2e-6)
        page.get_by_role("button", name="Clear").press("Enter")
        assert page.locator(".size").inner_text() == "" and page.locator(".selection").is_hidden()


PAINTED = """
(() => {
  const colours = (root) => [...root.querySelectorAll("*")].flatMap((one) => {
    if (one.shadowRoot) return colours(one.shadowRoot);
    if (one.localName !== "canvas" || !one.width) return [];
    const dots = new Uint32Array(one.getContext("2d").getImageData(0, 0, one.width, one.height).data.buffer);
    return [...new Set(dots)];
  });
  window.atReady = {};
  new MutationObserver((changes) => {
    for (const { target } of changes) window.atReady[target.id] = new Set(colours(target)).size;
  }).observe(document, { subtree: true, attributeFilter: ["data-ready"] });
})();
"""


def test_a_picture_is_ready_when_it_is_painted(states, started, tmp_path):
    """What the benchmark of pages waits for: dots and bars in their colours, not an empty canvas."""
    page = started.new_context(offline=True).new_page()
    page.add_init_script(PAINTED)
    page.goto(states.to_html(tmp_path / "page.html").as_uri())
    page.wait_for_selector(".interactive:not([data-ready])", state="detached", timeout=PATIENCE)
    colours = page.evaluate("window.atReady")
    assert set(colours) == {"explorer-1", "chart-1"} and min(colours.values()) > 5, colours
    page.context.close()


def test_a_box_of_numbers_on_chosen_coordinates(states, started, tmp_path):
    """With the keyboard alone: other coordinates in the lists, ends of the box, a button."""
    with opened(started, states.to_html(tmp_path / "page.html")) as page:
        page.get_by_label("Across").select_option("log density")
        page.get_by_label("Up", exact=True).select_option("column 0")
        page.locator("summary").press("Enter")
        low, high = np.quantile(states.log_density, [0.3, 0.8])
        for field, value in (("x from", low), ("x to", high), ("y to", 3.0)):
            page.get_by_label(field).fill(f"{value:.6f}")
        page.get_by_role("button", name="Select", exact=True).press("Enter")
        value, column = states.log_density, states.coordinates[:, 0]
        inside = (value >= low) & (value <= high) & (column <= 3.0)
        assert page.locator(".size").inner_text().startswith(f"{inside.sum()} of 120 points selected")


def frame_of(page):
    """Where the picture is in the window."""
    canvas = page.locator(".canvas canvas").first
    canvas.evaluate("(canvas) => canvas.scrollIntoView({ block: 'center' })")
    found = canvas.bounding_box()
    return [found[name] for name in ("x", "y", "width", "height")]


def test_box_and_hover_with_the_mouse(states, started, tmp_path):
    with opened(started, states.to_html(tmp_path / "page.html")) as page:
        x, y, width, height = frame_of(page)
        page.locator(".canvas .bk-tool-icon-box-select").first.click()
        page.mouse.move(x + 0.4 * width, y + 0.2 * height)
        page.mouse.down()
        page.mouse.move(x + 0.7 * width, y + 0.5 * height, steps=4)
        page.mouse.move(x + 0.95 * width, y + 0.8 * height, steps=4)
        page.mouse.up()
        page.locator(".selection").wait_for()
        rows = csv.DictReader(io.StringIO(saved_csv(page)))
        chosen = np.array([[float(row["column 0"]), float(row["column 1"])] for row in rows])
        low, high = chosen.min(axis=0) - 1e-5, chosen.max(axis=0) + 1e-5
        inside = ((states.coordinates >= low) & (states.coordinates <= high)).all(axis=1)  # a box holds all in it
        assert 0 < len(chosen) == inside.sum() < 120
        x, y, width, height = frame_of(page)  # the page has scrolled
        page.evaluate(
            "window.readings = []; new MutationObserver((all) => window.readings.push(all[0].target.textContent))"
            ".observe(document.querySelector('.reading'), { childList: true })"
        )
        for down in np.linspace(0.1, 0.9, 12):
            page.mouse.move(x + 0.1 * width, y + down * height)
            page.mouse.move(x + 0.9 * width, y + down * height, steps=40)
        read = [re.match(r"item (\d+)   state (\d)   column 0 (\S+)   column 1 (\S+)", one) for one in
                page.evaluate("window.readings") if one]  # fmt: skip
        assert read and all(read)
        for one in read:
            item, state = int(one[1]), int(one[2])
            np.testing.assert_allclose([float(one[3]), float(one[4])], states.coordinates[item], rtol=1e-5)
            assert states.labels[item] == state


def test_the_command_of_a_page_fetches_what_was_selected(started, tmp_path, monkeypatch, capsys):
    """From a file to states, to a page, to a selection, to the rows of the file."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(100, 2)) + np.repeat([[0.0, 0.0], [7.0, 7.0]], 50, axis=0)
    np.savetxt("items.csv", rows, delimiter=",", header="=phi,psi", comments="")
    assert (
        main(["density", "items.csv:0,1", "--states", "--z", "1", "--output", "s.npz", "--output", "s.html", "-q"]) == 0
    )
    labels = np.asarray(infoscope.load("s.npz").labels)
    with opened(started, tmp_path / "s.html") as page:
        page.locator("tr[data-group='1'] button").press("Enter")
        whole = page.locator("#extract-1").inner_text()
        text = saved_csv(page)
        (tmp_path / "selection.csv").write_text(text, "utf-8")
        page.get_by_label("Across").select_option("psi")
        page.locator("summary").press("Enter")
        page.get_by_label("x from").fill("7.5")
        page.get_by_role("button", name="Select", exact=True).press("Enter")
        part = page.locator("#extract-1").inner_text()
        (tmp_path / "selection.csv").write_text(saved_csv(page), "utf-8")
    assert whole == "infoscope extract s.npz --state 1 -o state.csv"
    assert part == "infoscope extract s.npz --items selection.csv -o selected.csv"
    assert "'=phi" in text.splitlines()[0]
    for command in (whole, part):
        assert main(shlex.split(command)[1:]) == 0
    said = capsys.readouterr().out
    assert f"{(labels == 1).sum()} rows" in said and f"{(rows[:, 1] >= 7.5).sum()} rows" in said


@pytest.mark.filterwarnings("ignore:Glyph")
def test_names_run_nowhere(started, tmp_path):
    """In titles, axes, lists, tables, what is read and the file; `opened` sees that nothing ran or was asked for."""
    x = np.random.default_rng(4).normal(size=(40, 2))
    names = [f"{name} {number}" for number, name in enumerate((*HOSTILE, "$$\\alpha$$", "=1+1", "@SUM(1)"))]
    fit = DensityPeaks(0.5, density=PAk(dimension=2))
    pages = {}
    for name in names:
        ids = [f"{name} {i}" for i in range(len(x))]
        pages[name] = fit.fit(infoscope.Space(x, feature_names=[name, "$$\\beta$$"], ids=ids)).result_
    with opened(started, infoscope.report.write_page(pages, tmp_path / "page.html")) as page:
        scripts = page.evaluate("[...document.scripts].filter((one) => one.type !== 'application/json').length")
        assert scripts == 5 and page.evaluate("document.querySelectorAll('img, b, iframe, object').length") == 0
        for number, name in enumerate(names, start=1):
            article = page.locator(f"#result-{number}")
            article.locator("summary").press("Enter")
            article.get_by_role("button", name="Select", exact=True).press("Enter")
            assert article.locator(".size").inner_text().startswith("40 of 40")
            with page.expect_download() as waiting:
                article.get_by_role("button", name="Download CSV").press("Enter")
            rows = list(csv.DictReader(io.StringIO(waiting.value.path().read_text("utf-8"), newline="")))
            harmless = f"'{name} 0" if name[0] in "=+-@" else f"{name} 0"
            assert rows[0]["id"] == harmless and len(rows) == 40


def test_numbers_that_are_none_and_forty_states(states, many_states, started, tmp_path):
    holes = np.array(states.coordinates)
    holes[3, 0], holes[4, 1], holes[5] = np.nan, np.inf, -np.inf
    odd = replace(states, coordinates=holes, log_density=np.where(np.arange(120) == 7, np.nan, states.log_density))
    pages = {"odd": odd, "forty": many_states}
    with opened(started, infoscope.report.write_page(pages, tmp_path / "page.html")) as page:
        page.locator("#result-2 tr[data-group='39'] button").press("Enter")
        assert page.locator("#size-2").inner_text().startswith("10 of 400 points selected, 2.5 %")


def test_without_scripts_and_on_paper_the_drawing_is_there(states, started, tmp_path):
    path = states.to_html(tmp_path / "page.html")
    with opened(started, path, java_script_enabled=False) as page:
        assert page.locator("figure.drawn svg").is_visible()
    with opened(started, path) as page:
        assert page.locator("figure.drawn svg").is_hidden() and page.locator("#explorer-1").is_visible()
        page.emulate_media(media="print")
        assert page.locator("figure.drawn svg").is_visible() and page.locator("#explorer-1").is_hidden()


def test_a_narrow_window_scrolls_no_more_than_down(states, started, tmp_path):
    with opened(started, states.to_html(tmp_path / "page.html"), width=400) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= 400


def test_everybody_can_use_it(states, many_states, started, tmp_path):
    """No violation of axe at the levels serious and critical, before and after a selection."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    x = np.random.default_rng(5).normal(size=(60, 3))
    matrix = infoscope.imbalance_matrix({"x": x, "y": x[:, :2], "z": x[:, 2:]})
    pages = {
        "states": states,
        "forty": many_states,
        "matrix": matrix,
        "curve": infoscope.imbalance_scale_curve(x, x[:, :2]),
    }
    with opened(started, infoscope.report.write_page(pages, tmp_path / "page.html")) as page:
        page.locator("#result-1 tr[data-group='1'] button").press("Enter")
        page.locator("#result-4 tr[data-group='1'] button").press("Enter")
        found = axe.run(page).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")] == []


def test_rows_of_the_table_read_a_curve(started, tmp_path):
    x = np.random.default_rng(5).normal(size=(60, 3))
    curve = infoscope.imbalance_scale_curve(x, x[:, :2], k=(1, 4, 16))
    with opened(started, curve.to_html(tmp_path / "page.html")) as page:
        page.locator("tr[data-group='2'] button").press("Enter")
        said = page.locator(".reading").inner_text()
        value = float(curve.plot_data()["a_to_b"].iloc[2])
        assert "k 16" in said and f"a to b {float(f'{value:.4g}'):g} ±" in said


def test_pages_of_all_classes_open(started, tmp_path):
    from tests.results import one_of_each

    with opened(started, infoscope.report.write_page(list(one_of_each().values()), tmp_path / "page.html")) as page:
        boxes = json.loads(
            page.evaluate("JSON.stringify([...document.querySelectorAll('.interactive')].map((b) => b.hidden))")
        )
        assert len(boxes) > 40 and not any(boxes)
