"""How the documentation is built: Sphinx, numpydoc docstrings, and a gallery of examples that run."""

from __future__ import annotations

import logging
import re
import warnings
from importlib import import_module
from importlib.metadata import version as installed_version
from importlib.util import find_spec
from pathlib import Path

project = "infoscope"
author = "The infoscope developers"
copyright = "2026, The infoscope developers"
release = installed_version("infoscope")
version = ".".join(release.split(".")[:2])

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "matplotlib.sphinxext.plot_directive",
    "numpydoc",
    "myst_parser",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "Thumbs.db", "auto_examples/*.ipynb", "auto_examples/*.json"]
templates_path = ["_templates"]
html_static_path = ["_static"]
html_theme = "furo"
html_title = "infoscope"
html_css_files = ["custom.css"]
html_js_files = ["versions.js", "switcher.js"]  # see versions.py
html_search_scorer = str(Path(__file__).with_name("_static") / "scorer.js")
html_math_renderer = "mathml"  # see below: browsers draw it themselves, without a script and without a network
nitpicky = False

myst_enable_extensions = ["dollarmath", "amsmath", "deflist", "colon_fence"]
myst_heading_anchors = 3

autosummary_generate = True
autosummary_filename_map = {  # beside functions whose names differ in case alone, which some file systems do not see
    "infoscope.base.Progress": "infoscope.base.class-Progress",
    "infoscope.base.Provenance": "infoscope.base.class-Provenance",
}
default_role = "py:obj"  # `names` in docstrings are code, and links where there is something to link to
autodoc_typehints = "none"  # the docstrings say types and shapes
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

plot_include_source = True
plot_html_show_source_link = False
plot_html_show_formats = False
plot_formats = [("png", 150)]
plot_rcparams = {"figure.figsize": (5.0, 4.2), "savefig.bbox": "tight"}
plot_apply_rcparams = True


def lacking(example: Path) -> list[str]:
    """Packages that an example looks for (``find_spec("name")``) and that are not installed."""
    names = re.findall(r"find_spec\(\"(\w+)\"\)", example.read_text(encoding="utf-8"))
    return [name for name in dict.fromkeys(names) if find_spec(name) is None]


# plot_*.py runs, unless a package that it looks for is missing; everything else (run_*.py: long work with committed
# results) is shown and not run.
plots = sorted((Path(__file__).parent.parent / "examples").glob("plot_*.py"))
not_run = {example.name: missing for example in plots if (missing := lacking(example))}
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": rf"/({'|'.join(example.stem for example in plots if example.name not in not_run)})\.py$",
    "ignore_pattern": r"(/_|__init__\.py|conftest\.py)",
    "copyfile_regex": r".*\.(png|json|csv)",
    "download_all_examples": False,
    "remove_config_comments": True,
    "capture_repr": ("_repr_html_",),  # not the "<Axes>" that a plot returns
    "show_memory": False,
    "write_computation_times": False,  # a page that loads scripts from elsewhere
    "plot_gallery": True,
    "abort_on_example_error": True,
}

for chatty in ("MDAnalysis", "infoscope"):  # what is guessed, and how far long work has come
    logging.getLogger(chatty).setLevel(logging.WARNING)
warnings.filterwarnings("ignore", message=".*FigureCanvasAgg is non-interactive.*")


def missing_from_reference(app) -> None:
    """Warn (and so fail) when a public name is not listed in the reference."""
    from sphinx.util import logging

    listed = set(Path(__file__).with_name("reference.rst").read_text(encoding="utf-8").split())
    rooms = "imbalance measures dimension density anomalies causality representations neighbors statistics datasets io "
    rooms += "storage base quantum clones report"
    for room in rooms.split():
        missing = set(import_module(f"infoscope.{room}").__all__) - listed
        if missing:
            logging.getLogger(__name__).warning("reference.rst leaves out %s of infoscope.%s", sorted(missing), room)


def list_pictures(app, what, name, obj, options, lines) -> None:
    """What a result can draw, on the page of its class."""
    from infoscope.base import Result
    from infoscope.base.pictures import pictures_of

    if what != "class" or not issubclass(obj, Result) or not (found := pictures_of(obj)):
        return
    lines += ["", ".. rubric:: Pictures", ""]
    for kind, one in found.items():
        text = " ".join((one.draw.__doc__ or "").strip().partition("\n\n")[0].split())
        where = f"{one.draw.__module__}.{one.draw.__name__}"
        lines += [f"- ``kind={kind!r}``: {text} Options: :py:func:`{where}`."]


def shorten_sidebar(app, env) -> None:
    """The reference is one entry beside all pages: its names stand on its own page, in groups, and are hundreds."""
    from sphinx import addnodes

    for names in list(env.tocs["reference"].findall(addnodes.toctree)):
        names.parent.remove(names)


def name_examples_not_run(app) -> None:
    """Say which examples are shown without their pictures, and why."""
    for example, missing in not_run.items():
        print(f"{example} is shown and not run, because these are not installed: {', '.join(missing)}")


def inline_formula(translator, node) -> None:
    _formula(translator, node, block=False)


def displayed_formula(translator, node) -> None:
    _formula(translator, node, block=True)


def _formula(translator, node, block: bool) -> None:
    from docutils import nodes
    from docutils.utils.math import MathError, latex2mathml
    from sphinx.util import logging

    try:
        drawn = latex2mathml.tex2mathml(node.astext(), as_block=block)
    except MathError as error:
        logging.getLogger(__name__).warning("no MathML for %r: %s", node.astext(), error, location=node)
        drawn = f"<code>{translator.encode(node.astext())}</code>"
    translator.body.append(f'<div class="math">{drawn}</div>' if block else drawn)
    raise nodes.SkipNode


def setup(app) -> None:
    app.connect("builder-inited", missing_from_reference)
    app.connect("builder-inited", name_examples_not_run)
    app.connect("env-updated", shorten_sidebar)
    app.connect("autodoc-process-docstring", list_pictures, priority=900)  # after numpydoc has read the docstring
    app.add_html_math_renderer("mathml", (inline_formula, None), (displayed_formula, None))
