"""A browser for tests: which one, and what a page does in it."""

import os
import shutil
import sys
from contextlib import contextmanager

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
)
PATIENCE = 60_000  # milliseconds, on a machine that is busy with other things


def find_browser():
    """Path of a browser, or a sentence that says why there is none."""
    given = os.environ.get("INFOSCOPE_BROWSER")
    if given:
        return (given, "") if shutil.which(given) else (None, f"INFOSCOPE_BROWSER={given} is no program")
    found = next((path for path in map(shutil.which, (*NAMES, *PLACES)) if path), None)
    return found, "" if found else "no Chromium or Chrome is on the PATH: install one, or name it in INFOSCOPE_BROWSER"


@contextmanager
def browser():
    """Start it, without a window."""
    path, why_not = find_browser()
    if path is None:
        pytest.skip(why_not)
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra test)")
    arguments = ["--no-sandbox"] if sys.platform == "linux" and os.geteuid() == 0 else []
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=path, args=arguments)
        try:
            yield started
        finally:
            started.close()


@contextmanager
def opened(started, path, *, width=1000, **options):
    """A page in an offline window; at the end nothing was asked for, nothing ran wild, nothing went wrong."""
    context = started.new_context(offline=True, viewport={"width": width, "height": 900}, **options)
    context.set_default_timeout(PATIENCE)
    page, asked, wrong = context.new_page(), [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: (wrong.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    page.on("console", lambda line: wrong.append(line.text) if line.type in ("error", "warning") else None)
    page.goto(path.as_uri())
    if options.get("java_script_enabled", True):
        page.wait_for_selector(".interactive:not([data-ready])", state="detached")  # which evaluates no text
    try:
        yield page
        mine = [url for url in asked if not url.startswith(("data:", "blob:"))]
        assert mine == [path.as_uri()] and not wrong, (mine, wrong)
    finally:
        context.close()
