"""A run that is killed and resumed ends bit for bit as one that was not; Ctrl-C; checkpoints that do not fit."""

import multiprocessing
import os
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from infoscope.base import DataError, InfoscopeWarning, ParameterError
from infoscope.sampling import FlowCVSampler, GaussianMixtureProposal
from infoscope.sampling.proposal_choice import describe_proposal
from infoscope.storage import Checkpoint

from . import double_wells

LENGTHS = dict(n_adapt=12, n_iter=40)
COLUMNS = ("positions", "variables", "log_acceptance", "work", "n_steps", "accepted", "start", "beyond")


def sampler(**options):
    mixture = GaussianMixtureProposal(n_components=2, random_state=0)
    given = dict(proposal=mixture, n_local=2, n_burn_in=8, random_state=5, basins=[0.0]) | options
    return FlowCVSampler(double_wells.target(), double_wells.variables(), **given)


def run(path, resume=True, **options):
    fit = dict(checkpoint=path, resume=resume, checkpoint_every=0.0) | LENGTHS
    return sampler(**options).fit(double_wells.starts(3), **fit)


@pytest.fixture(scope="module")
def whole():
    """The uninterrupted run, all in memory, and how long it takes from a forked process."""
    began = time.monotonic()
    found = sampler().fit(double_wells.starts(3), **LENGTHS).result_
    return found, time.monotonic() - began


def same(found, other):
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(found, name), getattr(other, name), err_msg=name)
    np.testing.assert_array_equal(found.history, other.history)
    np.testing.assert_array_equal(found.populations, other.populations)
    np.testing.assert_array_equal(found.proposal_draws, other.proposal_draws)


def killed(path, after):
    """Run in a process of its own that is killed after some seconds; whether it was still at work."""
    child = multiprocessing.get_context("fork").Process(target=run, args=(path,))
    child.start()
    child.join(after)
    alive = child.is_alive()
    if alive:
        os.kill(child.pid, signal.SIGKILL)
        child.join()
    return alive


def many_kills(path, whole, n_kills, seed):
    """Kill at random moments until there were so many, the file deleted whenever a run came to its end."""
    found, seconds = whole
    rng, kills, phases = np.random.default_rng(seed), 0, set()
    while kills < n_kills:
        if killed(path, rng.uniform(0.02, 0.8) * seconds):
            kills += 1
            if path.exists():
                phases.add(Checkpoint.read(path)[1]["state"]["phase"])
        else:
            same(run(path).result_, found)
            path.unlink()
            path.with_suffix(".rows").unlink()
    same(run(path).result_, found)
    return phases


def test_every_checkpoint_goes_on_to_the_same_end(tmp_path, whole, monkeypatch):
    """Of burn-in, whose second half knows basins that were given, and of what follows."""
    found, copies, save = whole[0], [], Checkpoint.save

    def save_and_copy(self, state):
        written = save(self, state)
        if written.parent == tmp_path:
            copies.append(tmp_path / "copies" / f"{len(copies)}.npz")
            shutil.copy(written, copies[-1])
            shutil.copy(written.with_suffix(".rows"), copies[-1].with_suffix(".rows"))
        return written

    (tmp_path / "copies").mkdir()
    monkeypatch.setattr(Checkpoint, "save", save_and_copy)
    same(run(tmp_path / "run.npz").result_, found)
    phases = [Checkpoint.read(copy)[1]["state"]["phase"] for copy in copies]
    assert phases.count(0) == 8
    for copy in (*copies[2:9:2], copies[15], copies[-10]):
        same(run(copy).result_, found)


def test_a_few_kills_leave_no_trace(tmp_path, whole):
    many_kills(tmp_path / "run.npz", whole, 4, seed=1)


@pytest.mark.slow
def test_fifty_kills_leave_no_trace(tmp_path, whole):
    phases = many_kills(tmp_path / "run.npz", whole, 50, seed=2)
    assert {1, 2} <= phases  # in adaptation and in production


class Interrupting:
    """A target that gets Ctrl-C at its n-th gradient, in the midst of an iteration."""

    n_coordinates, kT = 3, 1.0

    def __init__(self, at):
        self.left, self.inner = at, double_wells.target()

    def energy(self, x):
        return self.inner.energy(x)

    def energy_and_gradient(self, x):
        self.left -= 1
        if self.left == 0:
            signal.raise_signal(signal.SIGINT)
        return self.inner.energy_and_gradient(x)


@pytest.fixture
def heard():
    """Ctrl-C is heard, also where tests run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_keeps_what_was_done_and_says_how_to_go_on(tmp_path, whole, heard):
    path = tmp_path / "run.npz"
    count = Interrupting(0)
    sampler().set_params(target=count).fit(double_wells.starts(3), **LENGTHS)
    total = -count.left
    for share in (0.3, 0.02):  # of all gradients: first of the whole, then of what is left
        stopped = sampler().set_params(target=Interrupting(int(share * total)))
        with pytest.raises(KeyboardInterrupt, match=r"go on with fit\(x0, checkpoint=.*resume=True\)"):
            # the name of the target is part of what a checkpoint belongs to
            stopped.fit(double_wells.starts(3), checkpoint=path, resume=share < 0.3, **LENGTHS)
    resumed = sampler().set_params(target=Interrupting(0))
    same(resumed.fit(double_wells.starts(3), checkpoint=path, resume=True, **LENGTHS).result_, whole[0])


def test_a_finished_run_is_made_longer_and_resume_needs_no_starts(tmp_path, whole):
    path = tmp_path / "run.npz"
    short = sampler().fit(double_wells.starts(3), checkpoint=path, n_adapt=12, n_iter=25)
    assert short.result_.n_iter == 25
    mixture = GaussianMixtureProposal(n_components=2, random_state=0)
    again = FlowCVSampler.resume(path, double_wells.target(), double_wells.variables(), proposal=mixture)
    same(again.fit(n_iter=40).result_, whole[0])


def test_a_checkpoint_of_something_else_is_refused(tmp_path, whole):
    path = tmp_path / "run.npz"
    run(path, resume=False)
    with pytest.raises(ParameterError, match="is there already"):
        run(path, resume=False)
    with pytest.raises(ParameterError, match="n_local is 2 there and 3 here"):
        run(path, n_local=3)
    with pytest.raises(ParameterError, match="belongs to other options: .*x0 is"):
        sampler().fit(double_wells.starts(3, random_state=9), checkpoint=path, resume=True, **LENGTHS)
    other = GaussianMixtureProposal(n_components=3, random_state=0)
    with pytest.raises(ParameterError, match='proposal is "GaussianMixtureProposal.*n_components=2.* there'):
        run(path, proposal=other)
    cut = path.read_bytes()
    path.write_bytes(cut[: len(cut) // 2])
    with pytest.raises(DataError, match="cut short or damaged"):
        run(path)
    with pytest.raises(DataError, match="no such file"):
        FlowCVSampler.resume(tmp_path / "none.npz", double_wells.target(), double_wells.variables())


class Plain:
    """A law of the user's own, without get_params."""

    n_variables = 1

    def __init__(self, centre, hidden=False):
        if not hidden:
            self.centre = np.array([centre])
        self._centre = centre

    def sample(self, n, rng):
        return rng.normal(self._centre, 1.0, (n, 1))

    def log_prob(self, z):
        return -0.5 * (z[:, 0] - self._centre) ** 2


class Learning(Plain):
    def fit(self, z, sample_weight=None):
        return self

    def get_params(self, deep=True):
        return {}

    def set_params(self):
        return self


def test_a_proposal_of_ones_own_is_known_by_its_numbers(tmp_path):
    """Its public arrays, or its density where it shows none; where it shows nothing at all, that is said."""
    z = np.array([[-1.0], [0.5]])
    for hidden in (False, True):
        one, same_one, other = (describe_proposal(Plain(c, hidden), z) for c in (0.0, 0.0, 0.3))
        assert one == same_one != other
    with pytest.warns(InfoscopeWarning, match="by the name of its class alone, Learning"):
        describe_proposal(Learning(0.0, hidden=True), z)
    path = tmp_path / "run.npz"
    run(path, proposal=Plain(0.0, True))
    with pytest.raises(ParameterError, match="proposal is .*log_prob at the starts"):
        run(path, proposal=Plain(0.3, True))


def test_a_checkpoint_of_another_machine_warns(tmp_path, monkeypatch):
    path = Path(tmp_path / "run.npz")
    from infoscope.sampling import settled_run as module

    with monkeypatch.context() as there:
        there.setattr(module, "_machine", lambda: {"machine": "abacus", "torch": "1.0"})
        run(path, resume=False)
    with pytest.warns(InfoscopeWarning, match="another machine or other versions"):
        run(path)
