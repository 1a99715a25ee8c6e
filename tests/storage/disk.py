"""A disk that loses its power: what was flushed is there, of what came later any sectors may be, in any order."""

import io
from pathlib import Path

SECTOR = 512  # bytes that a disk writes as a whole


class Disk:
    """Records what a module writes and flushes, to make every state in which a loss of power could leave its files.

    The files go through ``open(path, mode, buffering=0)`` and ``flush(descriptor)`` of the module.
    """

    def __init__(self, monkeypatch, module, *paths):
        self.start = {Path(path): Path(path).read_bytes() for path in paths}
        self.log, self.real_flush = [], module.flush
        monkeypatch.setattr(module, "open", self.open, raising=False)
        monkeypatch.setattr(module, "flush", self.flush)
        self.names = {}

    def open(self, path, mode="rb", buffering=0):
        file = RecordedFile(path, mode)
        file.log = self.log
        self.names[file.fileno()] = Path(path)
        return file

    def flush(self, descriptor):
        self.real_flush(descriptor)
        self.log.append(("flush", self.names[descriptor], 0, b""))

    def crashes(self, generator, trials):
        """Pairs of how many entries of the log had begun, and the contents of all files afterwards."""
        for n_begun in range(len(self.log) + 1):
            for trial in range(trials):
                share = (0.0, 1.0, *generator.random(trials))[trial]
                yield n_begun, {path: self._contents(path, n_begun, share, generator) for path in self.start}

    def _contents(self, path, n_begun, share, generator):
        own = [(kind, place, data) for kind, name, place, data in self.log[:n_begun] if name == path]
        flushed = max((number + 1 for number, (kind, *_) in enumerate(own) if kind == "flush"), default=0)
        contents = bytearray(self.start[path])
        for kind, place, data in own[:flushed]:
            apply(contents, kind, place, data)
        late = [piece for entry in own[flushed:] for piece in sectors(*entry)]
        for number in generator.permutation(len(late)):
            if generator.random() < share:
                apply(contents, *late[number])
        return bytes(contents)


class RecordedFile(io.FileIO):
    def write(self, data):
        self.log.append(("write", Path(self.name), self.tell(), bytes(data)))
        return super().write(data)

    def truncate(self, size=None):
        self.log.append(("truncate", Path(self.name), size, b""))
        return super().truncate(size)


def sectors(kind, place, data):
    """An entry cut at the borders of sectors."""
    if kind != "write":
        yield kind, place, data
    while data:
        length = SECTOR - place % SECTOR
        yield kind, place, data[:length]
        place, data = place + length, data[length:]


def apply(contents, kind, place, data):
    if kind == "truncate":
        del contents[place:]
    elif kind == "write":
        contents.extend(bytes(max(0, place - len(contents))))  # a hole reads as zeros
        contents[place : place + len(data)] = data
