import importlib
import os
import threading

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from infoscope.base import ParameterError, available_threads, one_blas_thread

threads = importlib.import_module("infoscope.base.threads")


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Eight processors, no SLURM, and control groups in a folder of ours."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)
    monkeypatch.delenv("SLURM_CPUS_PER_TASK", raising=False)
    monkeypatch.setattr(threads, "CGROUP_ROOT", tmp_path / "cgroup")
    monkeypatch.setattr(threads, "CGROUP_OF_SELF", tmp_path / "self")

    def write(files):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    return write


def test_affinity_is_the_start(machine):
    assert available_threads() == available_threads(None) == available_threads(-1) == 8


def test_without_affinity_the_processors_are_counted(machine, monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 5)
    assert available_threads() == 5
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert available_threads() == 1


def test_slurm(machine, monkeypatch):
    monkeypatch.setenv("SLURM_CPUS_PER_TASK", "3")
    assert available_threads() == 3
    monkeypatch.setenv("SLURM_CPUS_PER_TASK", "64")
    assert available_threads() == 8
    monkeypatch.setenv("SLURM_CPUS_PER_TASK", "")
    assert available_threads() == 8


def test_cgroup_version_2_takes_the_smallest_quota_on_the_way_up(machine):
    machine(
        {
            "self": "0::/batch/job\n",
            "cgroup/cpu.max": "max 100000\n",
            "cgroup/batch/cpu.max": "250000 100000\n",
            "cgroup/batch/job/cpu.max": "max 100000\n",
        }
    )
    assert available_threads() == 3  # 2.5 processors keep three threads busy


def test_cgroup_version_2_inside_a_container(machine):
    machine({"self": "0::/not/visible/here\n", "cgroup/cpu.max": "100000 100000\n"})
    assert available_threads() == 1


def test_cgroup_version_1(machine):
    machine(
        {
            "self": "12:memory:/job\n4:cpu,cpuacct:/job\n1:name=systemd:/x:y\n",
            "cgroup/cpu,cpuacct/job/cpu.cfs_quota_us": "400000\n",
            "cgroup/cpu,cpuacct/job/cpu.cfs_period_us": "100000\n",
            "cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1\n",
            "cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
        }
    )
    assert available_threads() == 4


def test_broken_cgroup_files_are_no_limit(machine):
    machine({"self": "nonsense\n0::/\n", "cgroup/cpu.max": "what\n"})
    assert available_threads() == 8


def test_n_jobs(machine):
    assert available_threads(3) == 3
    assert available_threads(100) == 100  # asked for, so given
    assert available_threads(np.int64(2)) == 2
    assert available_threads(-2) == 7
    assert available_threads(-100) == 1


@pytest.mark.parametrize(
    ("n_jobs", "message"), [(0, "n_jobs=0"), (1.5, "whole number"), (True, "whole"), ("2", "whole")]
)
def test_bad_n_jobs(n_jobs, message):
    with pytest.raises(ParameterError, match=message):
        available_threads(n_jobs)


# ------------------------------------------------------------------------------------------------------ one BLAS thread
def blas_threads():
    """Limits that hold for the whole process; an OpenBLAS on OpenMP (faiss brings one) has one for each thread."""
    blas = [library for library in threadpool_info() if library["user_api"] == "blas"]
    return {library["num_threads"] for library in blas if library.get("threading_layer") != "openmp"}


@pytest.fixture
def two_blas_threads():
    with threadpool_limits(limits=2, user_api="blas"):
        if blas_threads() != {2}:
            pytest.skip("this BLAS cannot be told its number of threads")
        yield
        assert blas_threads() == {2}


def test_one_blas_thread_nests_and_restores(two_blas_threads):
    with one_blas_thread():
        assert blas_threads() == {1}
        with one_blas_thread():
            assert blas_threads() == {1}
        assert blas_threads() == {1}
    assert blas_threads() == {2}


def test_one_blas_thread_restores_after_an_error(two_blas_threads):
    with pytest.raises(KeyboardInterrupt), one_blas_thread():
        raise KeyboardInterrupt
    assert blas_threads() == {2}


def test_the_last_of_several_threads_restores(two_blas_threads):
    inside, leave = threading.Barrier(5), [threading.Event() for _ in range(4)]

    def work(event):
        with one_blas_thread():
            inside.wait(10)
            event.wait(10)

    workers = [threading.Thread(target=work, args=(event,)) for event in leave]
    for worker in workers:
        worker.start()
    inside.wait(10)
    for worker, event in zip(workers, leave, strict=True):
        assert blas_threads() == {1}  # whoever came first may leave first
        event.set()
        worker.join(10)
    assert blas_threads() == {2}


def test_the_limit_holds_in_threads_that_did_not_set_it(two_blas_threads):
    seen = []

    def work():
        with one_blas_thread():
            seen.append(blas_threads())

    worker = threading.Thread(target=work)
    with one_blas_thread():
        worker.start()
        worker.join(10)
    assert seen == [{1}]


def test_libraries_are_looked_up_once_and_again_when_one_appears(two_blas_threads, monkeypatch):
    with one_blas_thread():
        first = threads._process["libraries"]
    with one_blas_thread():
        assert threads._process["libraries"] is first
    monkeypatch.setattr(threads, "_BLAS_CARRIERS", (*threads._BLAS_CARRIERS, "sys"))
    with one_blas_thread():
        assert threads._process["libraries"] is not first


def test_a_limit_per_thread_is_set_and_restored_in_every_thread(monkeypatch):
    class PerThread:  # an OpenBLAS built on OpenMP
        internal_api, threading_layer = "openblas", "openmp"
        limits = {}

        @property
        def num_threads(self):
            return self.limits.get(threading.get_ident(), 4)

        def set_num_threads(self, number):
            self.limits[threading.get_ident()] = number

    library, seen = PerThread(), []
    monkeypatch.setattr(threads, "_blas_libraries", lambda: [library])

    def work():
        seen.append(library.num_threads)
        with one_blas_thread(), one_blas_thread():
            seen.append(library.num_threads)
        seen.append(library.num_threads)

    with one_blas_thread():
        worker = threading.Thread(target=work)
        worker.start()
        worker.join(10)
        assert library.num_threads == 1
    assert seen == [4, 1, 4] and library.num_threads == 4


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_fork_inside_keeps_its_own_count(two_blas_threads):
    other, leave = threading.Event(), threading.Event()

    def work():
        with one_blas_thread():
            other.set()
            leave.wait(10)

    worker = threading.Thread(target=work)
    worker.start()
    other.wait(10)
    child = os.fork()
    if child == 0:  # the worker does not exist here, and must not keep the limit for ever
        code = 1
        try:
            with one_blas_thread():
                inside = blas_threads()
            code = 0 if (inside, blas_threads()) == ({1}, {2}) else 2
        finally:
            os._exit(code)
    leave.set()
    worker.join(10)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
