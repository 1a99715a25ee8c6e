"""
How many letters at a time does English need?
=============================================

The docstrings of scipy and scikit-learn are megabytes of English, there wherever the library is.  Models whose letters
interact up to one, two, three and five at a time are trained on them, and tested on the docstrings of other files; each
gives a *clone* of the text, drawn by Gibbs sampling and certified, or not, by chains from two starts.  The page shows
what came out, and does not run it: a few minutes of one core.
"""

# %%
# Docstrings are read from the source files, of which nothing is imported.  Markup, digits and examples of code go; what
# is left has 28 characters.

import ast
import importlib.util
import re
from pathlib import Path

import numpy as np

from infoscope.clones import CloneLadder, InteractionModel, token_windows, train_tokenizer

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
            nodes = [node for node in ast.walk(tree) if isinstance(node, places)]
            said = "\n".join(filter(None, map(ast.get_docstring, nodes)))
            text = re.sub(r"[^a-z.]+", " ", CODE.sub("", said).lower())
            if len(text) > 200:
                yield re.sub(r"(\.\s*)+", ". ", text)


texts = list(documents(["scipy", "sklearn"]))
windows = token_windows(texts, train_tokenizer(texts, "characters"), 32)
train, test = windows.split(0.1)
print(f"{len(train)} windows of 32 characters to train with, "
      f"{len(test)} of other files to test with")  # fmt: skip

# %%
# A model of each order, each going on from the one below; losses are per hidden character, all others given, and their
# errors are by file.

model = InteractionModel(n_heads=48, positions="relative", n_steps=600)
model.set_params(n_tokens=windows.tokenizer.n_tokens, validation=test.tokens[::40])
ladder = CloneLadder((1, 2, 3, 5), model=model).fit(train.tokens)
start = test.tokens[7::50][:400]
clones = ladder.sample(start, max_sweeps=400)
rest = np.arange(len(test)) % 40 != 0  # what early stopping did not look at
rest = np.flatnonzero(rest)[::4]
losses = ladder.compare(test.tokens[rest], document=test.document[rest], clones=clones)
print(losses)
for order, clone in clones.items():
    print(order, clone.verdict)
    shown = [windows.tokenizer.decode(row) for row in clone.tokens[[0, 1, -1]]]
    print("   ", *map(repr, shown))
losses.plot().figure.savefig("orders_of_text.png", dpi=100, bbox_inches="tight")

# %%
# What came out
# -------------
# .. code-block:: text
#
#    176610 windows of 32 characters to train with, 20140 of other files to test with
#    LadderLosses
#      order  loss           gain           r_hat  sweeps  nearest
#      1      2.887 ± 0.004  nan ± nan      1.023  16      0.7048
#      2      1.500 ± 0.017  1.386 ± 0.015  1.041  24      0.657
#      3      0.840 ± 0.019  0.660 ± 0.006  1.055  400     0.6373
#      5      0.662 ± 0.018  0.178 ± 0.004  1.169  400     0.6255
#    order 5 is the highest that predicts better than the one before: by 0.178 ± 0.004 nats; NOT CONVERGED: the
#        clones of order 3, 5
#    1 a clone with interactions of up to 1 tokens: chains from data and from independent tokens agree after 16
#        sweeps (largest R-hat 1.023)
#        'pe hr s.eprrapocesra fnnmooenpmt' 'ssfvpi    ro arsao rotam entteea' ' ed b feapeo ao ucs le l enctuti'
#    2 a clone with interactions of up to 2 tokens: chains from data and from independent tokens agree after 24
#        sweeps (largest R-hat 1.041)
#        ' onj. afalcycaplorap ofithe sicc' 'pr xias fath e rancestoulino bet' ...
#    3 NOT CONVERGED after 400 sweeps: R-hat of 'energy' is 1.055, above 1.05; do not use these sequences, sample
#        longer or with sampler='tempered'
#        'n elabels arraysthat is sqmestan' 's in drappers appe samples alple' ' the tagg aximater ex lappesions'
#    5 NOT CONVERGED after 400 sweeps: R-hat of 'energy' is 1.169, above 1.05; do not use these sequences, sample
#        longer or with sampler='tempered'
#        'effly a deplowach the tands the ' 'lose bicantonectrees int and for' 'work reaents. the ady evioundide'
#
# .. image:: orders_of_text.png
#    :alt: Loss on new sequences falls from 2.9 to 0.66 nats as the order rises from 1 to 5
#
# Every order tells more, far beyond its error: pairs most, and five letters at a time still 0.18 nats a letter beyond
# three.  The clone of pairs has syllables, that of triples nearly words.  Chains of order 2 forget their start within
# 24 sweeps; those of order 3 are a hair above the limit after 400, and those of order 5 need more: the higher the
# order, the more a letter is held by its neighbours.  The certificate says so; a loss that has become flat would not.
