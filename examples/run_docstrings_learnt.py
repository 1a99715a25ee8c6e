"""
What a transformer learns first of a text
=========================================

The docstrings of scipy and scikit-learn are megabytes of English, there wherever the library is.  Models whose
letters interact up to one, two, three and five at a time are trained on them; each gives a *clone* of the text, drawn
by Gibbs sampling and certified by chains from two starts.  A small transformer is then trained on the text itself, and
asked about the text and about each clone at many steps of its training.  The page shows what came out, and does not run
it: ``python examples/run_docstrings_learnt.py``.
"""

# %%
# Docstrings are read from the source files, of which nothing is imported.  Markup, digits and examples of code go; what
# is left has 28 characters.

import ast
import importlib.util
import re
import sys
from pathlib import Path

import numpy as np

from infoscope.clones import (
    CloneLadder,
    InteractionModel,
    StudyTransformer,
    learning_curves,
    token_windows,
    train_tokenizer,
)

CODE = re.compile(r"^\s*(>>>|\.\.\.).*$", re.MULTILINE)


def documents(packages):
    """One text a source file."""
    for name in packages:
        root = Path(importlib.util.find_spec(name).origin).parent
        for file in sorted(root.rglob("*.py")):
            if "tests" in file.parts:
                continue
            tree = ast.parse(file.read_text(encoding="utf-8"))
            places = (ast.Module, ast.ClassDef, ast.FunctionDef)
            said = [ast.get_docstring(node) for node in ast.walk(tree) if isinstance(node, places)]
            text = re.sub(r"[^a-z.]+", " ", CODE.sub("", "\n".join(filter(None, said))).lower())
            if len(text) > 200:
                yield re.sub(r"(\.\s*)+", ". ", text)


texts = list(documents(["scipy", "sklearn"]))
windows = token_windows(texts, train_tokenizer(texts, "characters"), 32)
train, test = windows.split(0.1)
print(f"{len(train)} windows of 32 characters to train with, {len(test)} of other files to test with")

# %%
# A model of each order, each going on from the one below; losses are per hidden character, all others given, and their
# errors are by file.

model = InteractionModel(n_heads=48, positions="relative", n_tokens=windows.tokenizer.n_tokens)
model.set_params(n_steps=600, validation=test.tokens[::40])
ladder = CloneLadder((1, 2, 3, 5), model=model).fit(train.tokens)
start = test.tokens[7::50][:400]
clones = ladder.sample(start, max_sweeps=400)
rest = np.arange(len(test)) % 40 != 0  # what early stopping did not look at
losses = ladder.compare(test.tokens[rest][::4], document=test.document[rest][::4], clones=clones)
print(losses)
for order, clone in clones.items():
    print(order, clone.verdict)
    print("   ", *(repr(windows.tokenizer.decode(row)) for row in clone.tokens[[0, 1, -1]]))

# %%
# Then the transformer, again and again from other weights, asked at 20 steps of its training.

runs = []
for seed in range(int(sys.argv[1]) if len(sys.argv) > 1 else 3):
    network = StudyTransformer(n_layers=2, width=64, n_steps=1500, learning_rate=3e-3, n_kept=20, random_state=seed)
    runs.append(network.fit(train.tokens, n_tokens=windows.tokenizer.n_tokens).checkpoints_)
kept = {order: clone for order, clone in clones.items() if clone.converged}
some = slice(3, None, len(test) // 800)
curves = learning_curves(runs, kept, test.tokens[some], document=test.document[some])
print(curves)
print("fall on real text and on each clone, after order 2 was learnt:")
at = int(np.flatnonzero(curves.orders == 2)[0])
for number in range(len(curves.orders)):
    fall, error = curves.later_fall[at, number], curves.later_fall_se[at, number]
    print(f"  {curves.name_of(number):8s} {fall:.4f} ± {error:.4f}")
axes = curves.plot()
axes.figure.savefig(Path(__file__).with_name("docstrings_learnt.png"), dpi=120, bbox_inches="tight")
