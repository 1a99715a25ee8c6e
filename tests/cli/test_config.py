"""Options in a TOML file: every option is a key, every key an option; the command line has the last word."""

import json
import tomllib
from pathlib import Path

import numpy as np
import pytest
import typer
from packaging.version import Version

from infoscope.base.errors import DataError, ParameterError
from infoscope.cli.app import app
from infoscope.cli.arguments import OLD_NAMES, expand

COMMANDS = typer.main.get_command(app).commands
COMPUTING = ("compare", "dimension", "density", "anomalies", "drives", "select")
SAMPLES = {  # a value for every kind of option, as TOML and as the command reads it
    "N": (9, 9),
    "VALUE": (2.5, "2.5"),
    "Z": (3, 3.0),
    "Q": (5, 5),
    "D": (2.5, 2.5),
    "LEVEL": (0.1, 0.1),
    "KELVIN": (310, 310.0),
    "SHARE": (0.25, "0.25"),
    "NUMBER": (0.5, "0.5"),
    "N[,N...]": ("10,20", [10, 20]),
}


def toml(**keys):
    Path("options.toml").write_text("\n".join(f"{name} = {json.dumps(value)}" for name, value in keys.items()))
    return "options.toml"


def read(command, arguments):
    """What the options are, once the command line is read."""
    name, *said = expand(COMMANDS, [command, *arguments])
    context = COMMANDS[name].make_context(name, said)
    given = {p.name for p in COMMANDS[name].params if context.get_parameter_source(p.name).name == "COMMANDLINE"}
    plain = {name: list(value) if isinstance(value, tuple) else value for name, value in context.params.items()}
    return {name: value for name, value in plain.items() if name in given and value != []}  # tuples: of older typer


def options():
    for command in COMPUTING:
        for option in COMMANDS[command].params:
            if option.name not in ("help", "config"):
                yield command, option


@pytest.mark.parametrize(("command", "option"), list(options()), ids=lambda value: getattr(value, "name", value))
def test_every_option_is_a_key(tmp_path, monkeypatch, command, option):
    monkeypatch.chdir(tmp_path)
    key = option.name if option.param_type_name == "argument" else max(option.opts, key=len)[2:]
    words = option.metavar.split("|") if option.metavar else [""]
    written, expected = SAMPLES.get(words[-1], (words[0].lower(), words[0].lower()))
    if words[0].islower() or words[0] == "kT":  # one of a few words
        written = expected = words[0]
    if getattr(option, "is_flag", False):
        written = expected = True
    elif option.nargs == -1 or getattr(option, "multiple", False):
        assert read(command, ["--config", toml(**{key: "one"})]) == {option.name: ["one"]}
        written = expected = ["one", "-two", "three"] if option.nargs != -1 else ["one", "two"]
    before = {"reference": "first.csv"} if key == "test" else {}  # the second argument has one in front of it
    for name in {key, key.replace("-", "_")}:
        assert read(command, ["--config", toml(**before, **{name: written})]) == {**before, option.name: expected}


def test_a_command_from_a_file(folder, infoscope):
    """The same numbers, and a record that needs the file no more."""
    keys = {"space": ["A=items.csv:a,b,wide", "B=items.csv:c"], "scale": "A=standard", "permutations": 19, "window": 0}
    keys |= {"time": "t", "run": "part", "other_runs": False, "quiet": True, "output": ["a.json"], "k": 6}
    ran = infoscope("compare", "--config", toml(**keys))
    assert ran.code == 0, ran.err
    said = ["--space", "A=items.csv:a,b,wide", "--space", "B=items.csv:c", "--scale", "A=standard", "--permutations",
            "19", "--window", "0", "--time", "t", "--run", "part", "-q", "--output", "b.json", "-k", "6"]  # fmt: skip
    assert infoscope("compare", *said).code == 0
    a, b = (json.loads(Path(name).read_text()) for name in ("a.json", "b.json"))
    assert a["values"] == b["values"] and a["inputs"] == b["inputs"]
    assert a["command"] == (
        "infoscope compare --space A=items.csv:a,b,wide --space B=items.csv:c --scale A=standard --permutations 19 "
        "--window 0 --time t --run part --quiet --output a.json --k 6"
    )
    Path("options.toml").unlink()
    assert "reproduced" in infoscope("rerun", "a.json").out


def test_two_arguments(folder, infoscope):
    for seed, name in ((1, "z.npy"), (2, "w.npy")):
        np.save(name, np.random.default_rng(seed).normal(size=(90, 2)))
    file = toml(reference="x.npy", test="z.npy", k=12, quiet=True, output="a.json")
    for said, files in (([], "x.npy z.npy"), (["w.npy"], "w.npy z.npy"), (["z.npy", "x.npy"], "z.npy x.npy")):
        ran = infoscope("anomalies", *said, "--config", file)
        assert ran.code == 0, ran.err
        assert f" {files}" in json.loads(Path("a.json").read_text())["command"].replace("--config", "")


def test_the_command_line_has_the_last_word(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = toml(files=["a.npy", "b.npy"], scale="standard", metric="cosine", period=["x=1", "y=2"], seed=3, k=5)
    assert read("select", ["--config", file]) == {
        "files": ["a.npy", "b.npy"], "scale": ["standard"], "metric": ["cosine"], "period": ["x=1", "y=2"],
        "seed": 3, "k": 5,
    }  # fmt: skip
    said = ["c.npy", "--scale=none", "--config", file, "--period", "z=3", "-k", "9"]
    assert read("select", said) == {
        "files": ["c.npy"], "scale": ["none"], "metric": ["cosine"], "period": ["z=3"], "seed": 3, "k": 9,
    }  # fmt: skip
    assert expand(COMMANDS, ["select", *said]) == [
        "select", "--metric", "cosine", "--seed", "3", "c.npy", "--scale=none", "--period", "z=3", "-k", "9",
    ]  # fmt: skip
    assert expand(COMMANDS, ["select", f"--config={file}", "--", "--config"])[-2:] == ["--", "--config"]


def test_values_with_a_sign(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert read("dimension", ["--config", toml(binarize=-0.5, binary=True)]) == {"binarize": -0.5, "binary": True}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("perio = 3", ["options.toml: 'perio' is no option of infoscope density", "Did you mean 'period'?"]),
        ("target = 'x'", ["'target' is no option of infoscope density"]),
        ("qqqq = 1", ["There are files, states, z, halo, predict, method"]),
        ("config = 'more.toml'", ["'config' is no option"]),
        ("help = true", ["'help' is no option"]),
        ("states = 'yes'", ['options.toml: states takes true or false, not "yes"']),
        ("metric = true", ["options.toml: metric takes text or numbers, not true"]),
        ("time = ['a', 'b']", ['options.toml: time takes one text or number, not ["a", "b"]']),
        ("[period]\nphi = 1", ['options.toml: period takes text or numbers, not {"phi": 1}']),
        ("states = ", ["options.toml is no TOML"]),
        ("stride = 0", ["--stride"]),
        ("missing = 'ignore'", ["--missing is 'raise', 'drop' or 'drop-columns', not 'ignore'"]),
    ],
)
def test_bad_files(folder, infoscope, text, parts):
    Path("options.toml").write_text(text)
    ran = infoscope("density", "x.npy", "--config", "options.toml")
    lines = ran.err.strip().splitlines()
    assert ran.code == 2 and len(lines) == 1 and all(part in lines[0] for part in parts), ran.err


def test_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="none.toml: no such file"):
        expand(COMMANDS, ["compare", "--config", "none.toml"])
    with pytest.raises(ParameterError, match="given twice"):
        expand(COMMANDS, ["compare", "--config", "a.toml", "--config=b.toml"])
    assert expand(COMMANDS, ["compare", "--config"]) == ["compare", "--config"]  # the parser says what is missing
    Path("bad.toml").write_bytes(b"a = '\xff'")
    with pytest.raises(DataError, match="no TOML"):
        expand(COMMANDS, ["compare", "--config", "bad.toml"])


def test_a_wrong_option_beside_a_file(folder, infoscope):
    file = toml(scale="standard")
    for said, message in (("--spce", "--spce"), ("--missing=never", "--missing is 'raise'"), ("--stop=-1", "--stop")):
        ran = infoscope("compare", "x.npy", "y.npy", "--config", file, said)
        assert ran.code == 2 and message in ran.err and len(ran.err.strip().splitlines()) == 1
    assert "Usage: infoscope compare" in infoscope("compare", "--config", file, "--help").out
    assert "--config" in infoscope("demo", "--config", file).err


PAGE = Path(__file__).parents[2] / "docs" / "command_line.md"


@pytest.mark.skipif(not PAGE.exists(), reason="a test of the source tree")
def test_the_file_of_the_documentation(tmp_path, monkeypatch):
    page = PAGE.read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    Path("states.toml").write_text(page.partition("```toml\n")[2].partition("```")[0])
    with open("states.toml", "rb") as file:
        assert set(read("density", ["--config", "states.toml"])) == {k.replace("-", "_") for k in tomllib.load(file)}


# ------------------------------------------------------------------------------------------------------------ old names
def test_old_names_are_new_options():
    for (command, old), (new, *_) in OLD_NAMES.items():
        flags = {flag for option in COMMANDS[command].params for flag in option.opts}
        assert new in flags and old not in flags


@pytest.mark.parametrize("said", [["--neighbors", "30"], ["--neighbors=30"], ["--config", "options.toml"]])
def test_an_old_name_works_warns_and_is_not_recorded(folder, infoscope, said):
    toml(neighbors=30)
    ran = infoscope("density", "x.npy", "--dimension", "2", *said, "--quiet", "--output", "a.json")
    assert ran.code == 0 and ran.err.count("warning: infoscope density --neighbors is deprecated") == 1, ran.err
    assert ran.err.count("use --max-neighbors") == 1
    record = json.loads(Path("a.json").read_text())
    assert "--max-neighbors" in record["command"] and "--neighbors" not in record["command"]
    assert infoscope("density", "x.npy", "--dimension", "2", "--max-neighbors", "30", "--output", "b.json").code == 0
    assert record["values"] == json.loads(Path("b.json").read_text())["values"]


def test_records_with_old_names_run_again(folder, infoscope):
    assert infoscope("density", "x.npy", "--dimension", "2", "--max-neighbors", "30", "--output", "a.json").code == 0
    Path("a.json").write_text(Path("a.json").read_text().replace("--max-neighbors", "--neighbors"))
    ran = infoscope("rerun", "a.json")
    assert ran.code == 0 and "reproduced" in ran.out and "use --max-neighbors" in ran.err


def test_old_names_go_in_time():
    """The policy of `infoscope.base.deprecation`: one release, then the entry is deleted."""
    with open(Path(__file__).parents[2] / "pyproject.toml", "rb") as file:
        version = Version(tomllib.load(file)["project"]["version"])
    for (command, old), (_, since, remove) in OLD_NAMES.items():
        assert Version(since) < Version(remove)
        assert version < Version(remove), f"delete {old} of {command}"
