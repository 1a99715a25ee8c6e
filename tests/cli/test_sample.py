"""`infoscope sample`: from a TOML file to a result, again, and errors that name what is near."""

import json
from contextvars import copy_context

import numpy as np
import pytest
from typer.testing import CliRunner

import infoscope
from infoscope.base.errors import DataError, ParameterError
from infoscope.cli.app import app
from infoscope.cli.inputs.sampling_config import read_sampling_config

WELLS = """
import numpy as np

def both(x):
    z = x[:, 0]
    return 4 * (z**2 - 1) ** 2 + x[:, 1] ** 2, np.column_stack([16 * z * (z**2 - 1), 2 * x[:, 1]])
"""
CONFIG = """
[target]
energy = "wells.py:both"
gradient = true
n_coordinates = 2

[variables]
coordinates = [0]
names = ["z"]

[starts]
file = "starts.npy"

[sampler]
n_local = 2
n_burn_in = 8
basins = [0.0]
step = 0.3
step_length = 0.2

[run]
n_adapt = 4
n_iter = 30
"""


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wells.py").write_text(WELLS)
    (tmp_path / "wells.toml").write_text(CONFIG)
    rng = np.random.default_rng(0)
    np.save("starts.npy", np.column_stack([np.repeat([-1.0, 1.0], 3), 0.3 * rng.normal(size=6)]))
    return tmp_path / "wells.toml"


def call(*arguments):
    # in a context of its own: which files were read is forgotten at its end
    done = copy_context().run(CliRunner().invoke, app, list(arguments), obj=list(arguments))
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def test_a_file_is_sampled_and_sampled_again(config):
    shown = call(
        "sample", "wells.toml", "--output", "wells.json", "--output", "wells.npz", "--plot", "t.png", "-q"
    ).output
    found = infoscope.load("wells.npz")
    assert "population of basin 0" in shown and found.verdict in shown
    assert (config.parent / "t.png").stat().st_size > 1000
    record = json.loads((config.parent / "wells.json").read_text())
    assert record["command"].startswith("infoscope sample wells.toml")
    again = call("rerun", "wells.json", "--run-code").output
    assert "reproduced" in again and "not reproduced" not in again


def test_a_record_runs_no_code_unless_it_may(config):
    call("sample", "wells.toml", "--output", "wells.json", "-q")
    (config.parent / "wells.py").write_text(WELLS + "\nopen('ran', 'w').close()\n")
    record = json.loads((config.parent / "wells.json").read_text())
    record["files"] = [one for one in record["files"] if one["name"] != "wells.py"]  # as a stranger may write it
    (config.parent / "wells.json").write_text(json.dumps(record))
    with pytest.raises(DataError, match=r"wells\.json: its command runs code, wells\.py.*--run-code"):
        call("rerun", "wells.json")
    assert not (config.parent / "ran").exists()


def test_resume_goes_on_to_the_same_end(config):
    call("sample", "wells.toml", "--output", "whole.npz", "-q")
    call("sample", "wells.toml", "--iterations", "12", "--resume", "kept.npz", "-q")
    call("sample", "wells.toml", "--resume", "kept.npz", "--output", "resumed.npz", "-q")
    whole, resumed = infoscope.load("whole.npz"), infoscope.load("resumed.npz")
    np.testing.assert_array_equal(whole.positions, resumed.positions)


def test_a_built_in_system_with_its_own_starts(tmp_path):
    file = tmp_path / "tunnel.toml"
    file.write_text(
        '[target]\nsystem = "GaussianTunnel"\noptions = {distance = 6.0}\n'
        "[starts]\nsystem = [2, 3]\n[run]\nn_iter = 5\n"
    )
    asked = read_sampling_config(str(file))
    assert asked.target.distance == 6.0 and asked.starts.shape == (5, 20) and asked.run == {"n_iter": 5}
    assert (asked.starts[:, 0] < 3).tolist() == [True, True, False, False, False]


@pytest.mark.parametrize(
    ("old", "new", "error", "message"),
    [
        ("n_local", "n_locals", ParameterError, r"\[sampler\] has no key 'n_locals'. Did you mean 'n_local'\?"),
        ("[starts]", "[start]", ParameterError, r"there is no table \[start\]. Did you mean 'starts'\?"),
        ("wells.py:both", "wells.py:boht", ParameterError, r"has no function boht. Did you mean 'both'\?"),
        ("wells.py:both", "walls.py:both", DataError, "walls.py: no such file"),
        ("wells.py:both", "both", ParameterError, "write 'file.py:function'"),
        ("starts.npy", "begin.npy", DataError, "begin.npy: no such file"),
        ("[target]", "target = ", DataError, "is no TOML"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(config, old, new, error, message):
    config.write_text(CONFIG.replace(old, new))
    with pytest.raises(error, match=message):
        read_sampling_config("wells.toml")


@pytest.mark.parametrize(
    ("starts", "message"),
    [
        ("4", r"give chains in each basin, as in \[8, 8\]"),
        ("[0, 0]", "at least one chain is needed"),
        ("[1.5, 1]", r"chains in basin 0 of \[starts\] must be a whole number, got 1.5"),
        ('["a"]', "must be a whole number, got 'a'"),
        ('[1, 1]\nrandom_state = "a"', r"random_state of \[starts\] must be a whole number"),
    ],
)
def test_chains_in_each_basin_are_whole_numbers(tmp_path, starts, message):
    file = tmp_path / "tunnel.toml"
    file.write_text(f'[target]\nsystem = "GaussianTunnel"\n[starts]\nsystem = {starts}\n')
    with pytest.raises(ParameterError, match=message):
        read_sampling_config(str(file))


def test_starts_may_be_a_table_of_any_format(config):
    asked = read_sampling_config(str(config))
    rows = "".join(f"{a!r};{b!r}\n" for a, b in asked.starts.tolist())
    (config.parent / "starts.csv").write_text("x;y\n" + rows)
    config.write_text(CONFIG.replace("starts.npy", "starts.csv"))
    np.testing.assert_array_equal(read_sampling_config(str(config)).starts, asked.starts)


@pytest.mark.parametrize("key", ["random_state", "seed"])
def test_a_seed_in_the_file_is_pointed_to_the_option(config, key):
    config.write_text(CONFIG.replace("[sampler]", f"[sampler]\n{key} = 1"))
    with pytest.raises(ParameterError, match="--seed"):
        read_sampling_config(str(config))


def test_a_start_without_a_number_is_named_without_options_that_the_command_has_not(config):
    np.save("starts.npy", np.array([[-1.0, 0.1], [1.0, np.nan]]))
    with pytest.raises(DataError, match=r"row 1 \(counted from 0\), column '.*' is missing: .*delete the row") as said:
        read_sampling_config("wells.toml")
    assert "drop" not in str(said.value)


def test_ctrl_c_says_a_command_that_a_shell_reads(config, monkeypatch):
    """Names with spaces are quoted."""

    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("infoscope.sampling.FlowCVSampler.fit", stop)
    (config.parent / "two wells.toml").write_text(CONFIG)
    asked = ["sample", "two wells.toml", "--resume", "my runs/w.npz"]
    done = copy_context().run(CliRunner().invoke, app, asked, obj=[])
    assert "infoscope sample 'two wells.toml' --resume 'my runs/w.npz'" in done.stderr + done.output
