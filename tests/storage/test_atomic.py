import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from infoscope.storage import atomic_path, read_json, write_bytes, write_json, write_text
from infoscope.storage.atomic import flush, remove_leftovers


def test_the_file_appears_only_when_all_is_well(tmp_path):
    target = tmp_path / "result.npz"
    with atomic_path(target) as temporary:
        assert temporary.parent == tmp_path and temporary.suffix == ".npz" and not temporary.exists()
        np.savez(temporary, x=np.arange(3))
        assert not target.exists()
    assert np.load(target)["x"].tolist() == [0, 1, 2]
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path, error):
    target = write_text(tmp_path / "a.txt", "old")
    with pytest.raises(error), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise error
    assert target.read_text() == "old" and list(tmp_path.iterdir()) == [target]


def test_nothing_written_is_an_error(tmp_path):
    target = write_text(tmp_path / "a.txt", "old")
    with pytest.raises(FileNotFoundError), atomic_path(target):
        pass
    assert target.read_text() == "old"


def test_a_full_disk_is_an_error_that_names_the_file(tmp_path):
    target = write_text(tmp_path / "a.txt", "old")
    with pytest.raises(OSError, match="No space left on device: '.*a.txt'") as caught, atomic_path(target) as temporary:
        temporary.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert caught.value.errno == errno.ENOSPC
    assert target.read_text() == "old" and list(tmp_path.iterdir()) == [target]
    with pytest.raises(OSError, match="Host is down$"), atomic_path(target):  # of another matter: left as it is
        raise OSError(errno.EHOSTDOWN, "Host is down")


def test_what_killed_writers_left_is_deleted_and_nothing_else(tmp_path):
    names = [".run.0123abcd.part.npz", ".run.fedcba98.part.npz"]
    others = ["run.npz", ".run.npz.lock", ".run.0123abcd.part.csv", ".run2.0123abcd.part.npz", "run.0123abcd.part.npz"]
    others += [".run.0123abcd.part.npz2", ".run.0123abcg.part.npz", ".a.run.0123abcd.part.npz"]
    for name in names + others:
        write_text(tmp_path / name, "x")
    remove_leftovers(tmp_path / "run.npz")
    assert sorted(item.name for item in tmp_path.iterdir()) == sorted(others)
    long = "a" * 101  # the same beginning as other files may have
    write_text(tmp_path / f".{long[:100]}.0123abcd.part.npz", "x")
    remove_leftovers(tmp_path / f"{long}.npz")
    assert len(list(tmp_path.iterdir())) == len(others) + 1


def test_contents_reach_the_disk_before_the_name(tmp_path, monkeypatch):
    calls = []
    real_sync, real_replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (calls.append("fsync"), real_sync(fd)))
    monkeypatch.setattr(os, "replace", lambda a, b: (calls.append("replace"), real_replace(a, b)))
    write_bytes(tmp_path / "a", b"x")
    assert calls[:2] == ["fsync", "replace"]


@pytest.mark.skipif(os.name == "nt", reason="there is no fcntl")
def test_on_macos_a_flush_goes_through_the_cache_of_the_drive(monkeypatch):
    import fcntl

    calls = []
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", lambda descriptor, command: calls.append((descriptor, command)))
    monkeypatch.setattr(os, "fsync", lambda descriptor: calls.append("fsync"))
    flush(7)
    assert calls == [(7, 51)]

    def unknown(descriptor, command):
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(fcntl, "fcntl", unknown)
    flush(7)
    assert calls == [(7, 51), "fsync"]


def test_wrong_places(tmp_path):
    with pytest.raises(FileNotFoundError, match="create it first"):
        write_text(tmp_path / "no" / "a.txt", "x")
    with pytest.raises(IsADirectoryError, match="name a file in it"):
        write_text(tmp_path, "x")


def test_long_names_and_names_in_other_scripts(tmp_path):
    for name in ("ä" * 120 + ".txt", "." + "a" * 250):  # 244 and 251 bytes, where 255 is the limit
        write_text(tmp_path / name, "x")
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.skipif(os.name == "nt", reason="links and modes of POSIX")
def test_links_are_followed_and_modes_kept(tmp_path):
    target = write_text(tmp_path / "a.txt", "old")
    target.chmod(0o640)
    (tmp_path / "link").symlink_to(target)
    write_text(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink() and target.read_text() == "new"
    assert target.stat().st_mode & 0o777 == 0o640


def test_json(tmp_path):
    path = write_json(tmp_path / "a.json", {"x": np.float64(np.nan), "y": np.arange(2), "name": "Δ"})
    assert path == tmp_path / "a.json"
    assert read_json(path) == {"x": None, "y": [0, 1], "name": "Δ"}
    json.loads(path.read_text(encoding="utf-8"), parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert write_json(path, [1, 2], indent=None).read_text() == "[1, 2]\n"


WRITER = """
import itertools, sys
from infoscope.storage import write_bytes
for number in itertools.count():
    write_bytes(sys.argv[1], bytes([number % 251]) * 2_000_000)
    print(number, flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
def test_a_kill_leaves_a_whole_file(tmp_path):
    target = tmp_path / "data.bin"
    for wait in (0.0, 0.003, 0.011):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, target], stdout=subprocess.PIPE, text=True)
        for _ in range(3):
            assert writer.stdout.readline().strip().isdigit()
        time.sleep(wait)  # somewhere in the middle of a write
        os.kill(writer.pid, signal.SIGKILL)
        last = [int(line) for line in writer.communicate()[0].split()] or [2]
        data = target.read_bytes()
        assert len(data) == 2_000_000 and len(set(data)) == 1
        assert data[0] in (last[-1] % 251, (last[-1] + 1) % 251)
    assert all(path == target or path.name.endswith(".part.bin") for path in Path(tmp_path).iterdir())
