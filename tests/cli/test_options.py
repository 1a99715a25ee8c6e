"""What the options mean, before any file is read."""

import math

import pytest
import typer

from infoscope.base.errors import ParameterError
from infoscope.cli.app import app
from infoscope.cli.inputs.parsing import by_space, choose_file, choose_spaces
from infoscope.cli.inputs.periods import parse_period


def names(*files, spaces=()):
    return [space.name for space in choose_spaces(spaces, files)]


def test_names_of_spaces(folder):
    assert names("x.npy", "y.npy") == ["x", "y"]
    assert names("a/x.npy", "b/x.npy") == ["a/x", "b/x"]
    assert names("items.csv:0-1", "items.csv:2") == ["items:0-1", "items:2"]
    assert names("both.npz/x", "both.npz/y", "t.csv.gz") == ["x", "y", "t"]
    assert names("x.npy", "B=y.npy", spaces=["A=x.npy", "y.npy"]) == ["x", "y", "B", "A"]
    (pieces,) = choose_spaces(["A=run0.npy", "A=run1.npy:0"], [])
    assert [str(piece) for piece in pieces.pieces] == ["run0.npy", "run1.npy"] and pieces.pieces[1].columns == "0"


@pytest.mark.parametrize(
    ("files", "spaces", "message"),
    [
        (["x.npy", "x.npy"], [], "'x' is given twice"),
        (["x.npy"], ["x=y.npy"], "two spaces are called 'x'"),
        ([], ["A="], "names no file"),
    ],
)
def test_spaces_that_cannot_be_told_apart(folder, files, spaces, message):
    with pytest.raises(ParameterError, match=message):
        choose_spaces(spaces, files)


def test_files_and_columns(folder):
    (folder / "odd:name.csv").write_text("a:b,c\n1,2\n")
    assert choose_file("items.csv").columns is None
    assert choose_file("items.csv:a,b").columns == "a,b"
    assert choose_file("odd:name.csv").columns is None
    assert choose_file("odd:name.csv:a:b").columns == "a:b"
    assert choose_file("both.npz/x:0").key == "x" and choose_file("both.npz/x:0").columns == "0"
    assert choose_file(r"C:\data\x.csv").columns is None
    assert choose_file(r"C:\data\x.csv:0-3").columns == "0-3"
    assert str(choose_file("missing.csv:a").path) == "missing.csv"


def test_values_by_space():
    assert by_space([], ["A", "B"], "--scale", "none") == {"A": "none", "B": "none"}
    assert by_space(["B=none", "standard"], ["A", "B"], "--scale", "none") == {"A": "standard", "B": "none"}
    with pytest.raises(ParameterError, match="--scale C=none: no space is called 'C'"):
        by_space(["C=none"], ["A", "B"], "--scale", "none")


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("360", 360),
        ("360deg", 360),
        ("2pi", 2 * math.pi),
        ("2*pi", 2 * math.pi),
        ("pi", math.pi),
        ("none", 0),
        ("1e1", 10),
    ],
)
def test_periods(text, period):
    assert parse_period(text) == period


@pytest.mark.parametrize("text", ["", "deg", "-1", "1.2.3", "nan", "phi", "2 miles"])
def test_no_periods(text):
    with pytest.raises(ParameterError, match="a period is"):
        parse_period(text)


@pytest.mark.parametrize("text", ["-1", "nan", "soon", "inf", ""])
def test_no_windows(folder, infoscope, text):
    ran = infoscope("compare", "x.npy", "y.npy", "--window", text)
    assert ran.code == 2 and f"--window is 'auto' or a time of at least 0, not '{text}'" in ran.err


COMPUTING = ("compare", "dimension", "density", "anomalies", "drives", "select")


def options_of(command):
    found = typer.main.get_command(app).commands[command].params
    return {option.name: option for option in found}


def test_every_option_is_declared_once():
    """What two commands call alike is the same thing: flags, values, limits and defaults; only the help may differ."""
    known, different = {}, []
    for command in COMPUTING:
        for name, option in options_of(command).items():
            said = (
                option.opts,
                option.metavar,
                option.multiple if hasattr(option, "multiple") else None,
                option.default,
            )
            if known.setdefault(name, said) != said:
                different.append((command, name))
    own = {"k", "method", "files", "kind"}  # what is asked, the files it is asked of, how the answer is drawn
    own |= {"states"}  # of a density a flag, of bits a number
    own |= {"permutations"}  # none, or as many as the control needs
    assert {name for _, name in different} <= own, different


def test_all_commands_that_read_data_know_the_same_of_it():
    for command in COMPUTING:
        names = set(options_of(command))
        assert names >= {"ids", "time", "run", "join", "weights", "log_weights", "bias", "kT", "temperature", "units"}
        assert names >= {"metric", "scale", "period", "start", "stop", "stride", "missing"}
        assert names >= {"output", "plot", "style", "quiet", "config", "jobs"}


@pytest.mark.parametrize("command", COMPUTING)
def test_help_says_what_every_option_is(infoscope, command):
    text = infoscope(command, "--help").out
    assert "[default" not in text and "<" not in text and "...]..." not in text, text  # one form for all options
    for option in options_of(command).values():
        assert option.help or option.name == "help", option.name
        assert all(flag in text for flag in option.opts if flag.startswith("-"))
    assert max(map(len, text.splitlines())) <= 100
