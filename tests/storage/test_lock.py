import errno
import importlib.util
import os
import subprocess
import sys
import types

import pytest

from infoscope.base import InfoscopeWarning, ParameterError
from infoscope.storage import lock as lock_file
from infoscope.storage.lock import WriteLock

HOLDER = """
import pathlib, sys
from infoscope.storage.lock import WriteLock
lock = WriteLock(pathlib.Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_one_writer_in_this_process(tmp_path):
    target = tmp_path / "a.stream"
    lock = WriteLock(target)
    with pytest.raises(ParameterError, match=f"a.stream is being written by process {os.getpid()}: wait until it ends"):
        WriteLock(target)
    other = WriteLock(tmp_path / "b.stream")  # another file is another matter
    lock.release()
    lock.release()
    assert lock.released and not other.released
    again = WriteLock(target)
    lock.release()  # of the one before: the new one is still held
    with pytest.raises(ParameterError, match="is being written"):
        WriteLock(target)
    again.release()
    other.release()
    assert list(tmp_path.iterdir()) == []


def test_another_process_is_refused_until_the_first_is_killed(tmp_path):
    target = tmp_path / "a.stream"
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, target], stdin=-1, stdout=-1, text=True)
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(ParameterError, match=f"by process {holder.pid}:"):
        WriteLock(target)
    holder.kill()
    holder.communicate()
    assert [item.name for item in tmp_path.iterdir()] == [".a.stream.lock"]  # it is left, and stops nobody
    WriteLock(target).release()


@pytest.mark.skipif(os.name == "nt", reason="links of POSIX")
def test_a_file_has_one_lock_by_whatever_name(tmp_path):
    (tmp_path / "a").touch()
    (tmp_path / "link").symlink_to(tmp_path / "a")
    lock = WriteLock(tmp_path / "link")
    with pytest.raises(ParameterError):
        WriteLock(tmp_path / "a")
    lock.release()


@pytest.mark.skipif(os.name == "nt", reason="an open file cannot be removed there")
def test_a_lock_that_is_removed_while_we_take_it_is_taken_anew(tmp_path, monkeypatch):
    target, real = tmp_path / "a", lock_file._take
    first = WriteLock(target)

    def take(file):
        if not first.released:  # between our opening and our taking
            first.release()
        real(file)

    monkeypatch.setattr(lock_file, "_take", take)
    second = WriteLock(target)
    monkeypatch.undo()
    with pytest.raises(ParameterError):  # what is held is the file that others find
        WriteLock(target)
    second.release()


def test_where_there_are_no_locks_a_warning_says_so(tmp_path, monkeypatch):
    def take(file):
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(lock_file, "_take", take)
    with pytest.warns(InfoscopeWarning, match="knows no locks .Function not implemented.: see to it"):
        WriteLock(tmp_path / "a").release()


@pytest.mark.skipif(os.name == "nt", reason="stands in for Windows elsewhere")
def test_the_branch_of_windows(tmp_path, monkeypatch):
    import fcntl

    def locking(descriptor, mode, n_bytes):
        assert (mode, n_bytes) == (2, 1) and os.lseek(descriptor, 0, os.SEEK_CUR) > 10**6  # beyond what is read
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PermissionError(errno.EACCES, "Permission denied") from None

    monkeypatch.setitem(sys.modules, "msvcrt", types.SimpleNamespace(locking=locking, LK_NBLCK=2))
    monkeypatch.setattr(sys, "platform", "win32")
    spec = importlib.util.spec_from_file_location("infoscope.storage.lock_of_windows", lock_file.__file__)
    windows = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(windows)
    lock = windows.WriteLock(tmp_path / "a")
    with pytest.raises(ParameterError, match=f"is being written by process {os.getpid()}"):
        windows.WriteLock(tmp_path / "a")
    lock.release()
    assert lock.released and not list(tmp_path.iterdir())
    windows.WriteLock(tmp_path / "a").release()
