"""The command as a whole: help, version, what it imports."""

import json
import subprocess
import sys

COMMANDS = (
    "compare",
    "dimension",
    "density",
    "anomalies",
    "drives",
    "layers",
    "select",
    "extract",
    "demo",
    "rerun",
    "report",
)
HEAVY = ("numpy", "scipy", "numba", "pandas", "sklearn", "matplotlib")


def python(code, *arguments, **options):
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True, **options
    )


def test_help_imports_nothing_heavy():
    code = (
        "import json, sys; import infoscope.cli; codes = [infoscope.cli.main(a) for a in "
        f"([], ['--help'], ['--version'], *([name, '-h'] for name in {COMMANDS!r}))]; "
        f"print(json.dumps([codes, [m for m in {HEAVY!r} if m in sys.modules]]))"
    )
    assert json.loads(python(code).stdout.splitlines()[-1]) == [[0] * (3 + len(COMMANDS)), []]


def test_help_names_the_commands_and_options(infoscope):
    assert all(word in infoscope("--help").out for word in ("compare", "demo", "rerun", "--version"))
    text = infoscope("compare", "--help").out
    for option in (
        *("--space", "--period", "--scale", "--metric", "-k", "--labels", "--sample-rows", "--sample-columns"),
        *("--start", "--stop", "--stride", "--time", "--run", "--window", "--weights", "--seed", "--jobs"),
        *("--permutations", "--output", "--plot", "--style", "--quiet"),
    ):
        assert option in text


def test_version(infoscope):
    from infoscope import __version__

    assert infoscope("--version").out.strip() == f"infoscope {__version__}"


def test_wrong_commands_are_one_sentence(infoscope):
    ran = infoscope("comparr")
    assert ran.code == 2 and ran.err.startswith("infoscope: error: ") and "comparr" in ran.err
    assert len(ran.err.strip().splitlines()) == 1


def test_output_that_nobody_reads(folder):
    code = "import sys; from infoscope.cli import main; sys.stdout.flush(); sys.exit(main())"
    script = f"{sys.executable} -u -c '{code}' compare x.npy y.npy | true"
    ran = subprocess.run(script, shell=True, capture_output=True, text=True, check=False)
    assert "Traceback" not in ran.stderr


def test_terminals_without_greek(folder):
    code = "import sys; from infoscope.cli import main; sys.exit(main())"
    ran = python(code, "compare", "x.npy", "y.npy", env={**__import__("os").environ, "PYTHONIOENCODING": "ascii"})
    assert "euclidean" in ran.stdout and "Traceback" not in ran.stderr


def test_the_package_is_a_command_as_well():
    ran = subprocess.run([sys.executable, "-m", "infoscope", "nonsense"], capture_output=True, text=True, check=False)
    assert ran.returncode == 2 and "infoscope: error: No such command 'nonsense'" in ran.stderr
