"""Files that are nearly right, and processes that read them: a crash or a hang of one fails a test, and ends no run."""

import copy
import json
import os
import select
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

WRONG_VALUES = (
    *(None, True, -1, 0, 1, 7, 2**31, -(2**63), 10**30, 1.5, -0.0, 1e308, "", "a", "x" * 300, "\x00", "/dev/zero"),
    *("..", [], {}),
    *([[]], [1, [2]], {"is": "array", "array": "a0"}, {"is": "array", "array": "record"}, {"is": "tuple", "items": []}),
    *({"is": "mapping", "pairs": [[1, 2]]}, {"is": "float", "value": "nan"}, {"is": "float", "value": "-inf"}),
    *({"is": "random", "number": 0}, {"is": "scalar", "array": "a1"}, {"is": "objects", "items": [1], "shape": [1]}),
    *({"is": "complex", "parts": [1, 2]}, {"is": "objects", "items": [], "shape": [10**9, 0]}, {"is": []}),
    *({"is": "part"}, {"is": "estimator", "class": "infoscope.dimension.TwoNN", "parameters": {}, "fitted": {}}),
)  # fmt: skip
DEEPEST = 300  # brackets: Python recurses a thousand times
TIME_LIMIT = 60.0  # seconds for one file: a machine may be busy, and the first call compiles


# ------------------------------------------------------------------------------------------------------ files of arrays
def mutate_archive(whole: bytes, random: np.random.Generator) -> bytes:
    """A saved file with one to three changes: of its bytes, of its record, or of one of its arrays."""
    from io import BytesIO

    if random.random() < 0.15:
        return mutate_bytes(whole, random)
    with np.load(BytesIO(whole)) as content:
        arrays = dict(content)
    record = json.loads(arrays.pop("record").item())
    for _ in range(int(random.integers(1, 4))):
        names = sorted(arrays)
        if names and random.random() < 0.6:
            name = names[int(random.integers(len(names)))]
            arrays[name] = mutate_array(arrays[name], random)
        else:
            record = mutate_json(record, random)
    out = BytesIO()
    np.savez(out, record=np.array(json.dumps(record)), **{name: array for name, array in arrays.items()})
    return out.getvalue()


def mutate_array(array: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """One entry far out of range, another shape, another type, or other bytes."""
    way, changed = random.integers(7), np.array(array)
    if way == 0 and changed.dtype.kind in "iu" and changed.size:
        info = np.iinfo(changed.dtype)
        wrong = (info.max, info.min, -1, 10**6, len(changed), int(changed.max()) + 1)
        flat = changed.reshape(-1)
        flat[random.integers(flat.size)] = np.clip(wrong[int(random.integers(len(wrong)))], info.min, info.max)
        return flat.reshape(changed.shape)
    if way == 1 and changed.dtype.kind == "f" and changed.size:
        flat = changed.reshape(-1)
        flat[random.integers(flat.size)] = (np.nan, np.inf, -np.inf, -1.0, 0.0, 1e300)[int(random.integers(6))]
        return flat.reshape(changed.shape)
    if way == 2:
        return changed[: int(random.integers(len(changed) + 1))] if changed.ndim else changed.reshape(1)
    if way == 3:
        return np.concatenate([changed, changed]) if changed.ndim else np.array([changed, changed])
    if way == 4:
        types = ("f8", "f4", "i8", "i4", "u1", "bool", "U3", "S2", "c16", "M8[s]", "f2")
        return np.resize(np.frombuffer(changed.tobytes() or b"\0" * 64, np.uint8), changed.shape).astype(
            types[int(random.integers(len(types)))]
        )
    if way == 5:
        return changed.reshape(-1) if changed.ndim != 1 else changed[:, None]
    raw = bytearray(changed.tobytes())
    for _ in range(min(len(raw), 4)):
        raw[random.integers(len(raw))] = random.integers(256)
    return np.frombuffer(bytes(raw), changed.dtype).reshape(changed.shape)


def mutate_json(value, random: np.random.Generator):
    """One value at a random place put in another's stead, taken out, doubled or wrapped in brackets."""
    places = list(places_of(value))
    if not places:
        return wrong_value(random)
    holder, key = places[int(random.integers(len(places)))]
    way = random.integers(5)
    if way == 0:
        del holder[key]
    elif way == 1:
        other, where = places[int(random.integers(len(places)))]
        holder[key] = other[where] if where in other or isinstance(other, list) and where < len(other) else None
        value = json.loads(json.dumps(value)) if not loops(value) else None
    elif way == 2:
        for _ in range(min(int(random.integers(1, 300)), DEEPEST - depth_of(value))):
            holder[key] = [holder[key]]
    else:
        holder[key] = wrong_value(random)
    return value


def wrong_value(random: np.random.Generator):
    """A copy: the next change may be inside it."""
    return copy.deepcopy(WRONG_VALUES[int(random.integers(len(WRONG_VALUES)))])


def places_of(value):
    """Every place of a JSON value: its holder and the key or number there."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inside in list(pairs):
        yield value, key
        yield from places_of(inside)


def depth_of(value) -> int:
    """How many brackets stand around what is deepest."""
    depth, level = 0, [value]
    while level := [
        one
        for outer in level
        for one in (outer.values() if isinstance(outer, dict) else outer if isinstance(outer, list) else ())
    ]:
        depth += 1
    return depth


def loops(value, above=()) -> bool:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(id(one) in above or loops(one, (*above, id(one))) for one in inside if isinstance(one, dict | list))


def mutate_bytes(whole: bytes, random: np.random.Generator) -> bytes:
    """Cut short, bytes changed, a piece doubled or taken out."""
    way, changed = random.integers(4), bytearray(whole)
    a, b = sorted(int(place) for place in random.integers(0, len(whole), 2))
    if way == 0:
        return bytes(changed[:a])
    if way == 1:
        for _ in range(int(random.integers(1, 9))):
            changed[random.integers(len(changed))] = random.integers(256)
        return bytes(changed)
    return bytes(changed[:a] + changed[b:]) if way == 2 else bytes(changed[:b] + changed[a:])


# ------------------------------------------------------------------------------------------------------------ processes
class Readers:
    """A process that reads one file after the other and says how each ended; a new one after a crash or a hang.

    Each line of the process is the answer for one file: "read", "refused: ..." (one sentence), or what must not be.
    """

    def __init__(self, code: str, folder: Path, seconds: float = TIME_LIMIT):
        self.code, self.folder, self.seconds, self.process = code, folder, seconds, None

    def ask(self, path: Path) -> str:
        if self.process is None:
            self._start()
        self.process.stdin.write(f"{path}\n".encode())
        self.process.stdin.flush()
        until = time.monotonic() + self.seconds
        line = b""
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([self.process.stdout], [], [], max(0.0, until - time.monotonic()))
            piece = os.read(self.process.stdout.fileno(), 2**16) if ready else None
            if piece is None:
                self.close()
                return f"hangs for {self.seconds} s"
            if not piece:
                code = self.process.wait()
                said = Path(self.folder, "errors").read_text(errors="replace")[-2000:]
                self.close()
                return f"crashes with {code}: {said}"
            line += piece
        return json.loads(line)

    def close(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process.stdin.close()
            self.process.stdout.close()
            self.process = None

    def _start(self) -> None:
        with open(self.folder / "errors", "wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-c", self.code],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=self.folder,
            )

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()


# what the processes run: memory is limited, so that whoever asks for 100 GB is told so at once
LIMITS = """
import json, os, resource, sys, warnings
warnings.simplefilter("ignore")
resource.setrlimit(resource.RLIMIT_AS, (8 * 2**30, 8 * 2**30))
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
def tell(text):
    answers.write(json.dumps(text) + "\\n")
    answers.flush()
"""

LOAD = (
    LIMITS
    + """
import numpy as np
from infoscope import load
from infoscope.base import InfoscopeError, Result
rng = np.random.default_rng(5)
def one_sentence(error):
    text = str(error)
    return f"refused: {text}" if "\\n" not in text and len(text) < 2000 else f"says too much: {text[:300]}"
for line in sys.stdin:
    path = line.rstrip("\\n")
    try:
        found = load(path)
    except InfoscopeError as error:
        tell(one_sentence(error))
        continue
    except BaseException as error:
        import traceback
        tell(f"load raises {traceback.format_exc()[-1500:]}")
        continue
    try:
        said = "read"
        # what is built from it may say no, in one sentence or with an error of Python's own: it must not crash
        for ask in ("__str__", "to_dict", "to_frame", "_repr_html_"):
            if isinstance(found, Result):
                getattr(found, ask)()
        columns = getattr(found, "n_features_in_", 4)
        new = rng.normal(size=(7, columns if isinstance(columns, int) and 0 < columns < 50 else 4))
        for ask in ("score_samples", "transform", "predict", "scan", "decision_graph", "partial_fit"):
            if hasattr(found, ask) and (type(found).__name__, ask) != ("FlowProposal", "partial_fit"):  # takes seconds
                given = () if ask in ("scan", "decision_graph") else (new,)
                if hasattr(found, "groups_") and given:
                    given = (new, found.groups_[:7])  # new items have groups of their own
                getattr(found, ask)(*given)
    except InfoscopeError as error:
        said = "read, then " + one_sentence(error)
    except Exception as error:
        import traceback
        unfitted = type(error).__name__ == "NotFittedError"  # scikit-learn's own; estimators are saved fitted or not
        said = "refused: it is not fitted" if unfitted else f"raises {traceback.format_exc()[-1500:]}"
        said = f"read, then {said}"
    tell(said)
"""
)

RERUN = (
    LIMITS
    + """
import io, contextlib
from infoscope.cli import main
for line in sys.stdin:
    path = line.rstrip("\\n")
    errors, out = io.StringIO(), io.StringIO()
    try:
        with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(out):
            code = main(["rerun", path])
        said = [text for text in errors.getvalue().splitlines() if text.startswith("infoscope: error: ")]
        if code in (0, 1) and not said:
            tell("read")
        elif code == 2 and len(said) == 1 and "Traceback" not in errors.getvalue():
            tell(f"refused: {said[0]}")
        else:
            tell(f"ends with {code}: {errors.getvalue()[-1500:]}")
    except BaseException:
        import traceback
        tell(f"raises {traceback.format_exc()[-1500:]}")
"""
)
