"""The picture of the demonstration: a panel a question."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .demo_questions import Few, Heat, Map, Pairs, Wines

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#999999"  # told apart by everyone
HIGHEST = 45.0  # kJ/mol, where the colours end: few frames lie above
MARKS = ((ORANGE, "o"), (BLUE, "s"), (GREEN, "^"))  # of the best pairs


def save(answers: Sequence[Pairs | Map | Heat | Wines | Few], path: Path) -> None:
    """Draw the answers in two rows into a file, which is there whole or not at all."""
    from infoscope.storage import atomic_path

    from .deliver import draw_into_files

    pyplot = draw_into_files()
    figure, axes = pyplot.subplot_mosaic([[*"aabbcc"], [*"dddeee"]], figsize=(15, 9), layout="constrained")
    panels: tuple[Callable[[Any, Any], None], ...] = (_pairs, _map, _heat, _wines, _few)
    for ax, draw, answer in zip(axes.values(), panels, answers, strict=True):
        draw(ax, answer)
        ax.spines[["top", "right"]].set_visible(False)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format=path.suffix[1:], dpi=150)
    pyplot.close(figure)


def _pairs(ax: Any, found: Pairs) -> None:
    ax.scatter(found.to_shape, found.from_shape, s=7, color=GREY, alpha=0.6, linewidths=0, label="every pair")
    for p, (color, marker) in zip(found.best(len(MARKS)), MARKS, strict=True):
        ax.errorbar(
            found.to_shape[p], found.from_shape[p], xerr=found.to_shape_se[p], yerr=found.from_shape_se[p],
            fmt=marker, ms=5, color=color, capsize=2, label=found.names[p],
        )  # fmt: skip
    ax.set(
        xlim=(0, 1.1), ylim=(0, 1.1), title="Which two coordinates keep the shape of a molecule?",
        xlabel="Δ(pair → shape): lower is better", ylabel="Δ(shape → pair)",
    )  # fmt: skip
    ax.legend(loc="upper left", frameon=False, fontsize=9, handletextpad=0.3)


def _map(ax: Any, found: Map) -> None:
    order = (-found.energy).argsort()
    phi, psi = found.angles[order].T
    dots = ax.scatter(phi, psi, c=found.energy[order], s=6, lw=0, cmap="viridis", vmax=HIGHEST, rasterized=True)
    for state, center in enumerate(found.states.centers):
        ax.plot(*found.angles[center], "o", mfc="white", mec="black", ms=13, clip_on=False, zorder=3)
        ax.annotate(str(state), found.angles[center], ha="center", va="center", fontsize=9, zorder=4)
    _on_the_map(ax, "Which states does the molecule visit?")
    ax.figure.colorbar(dots, ax=ax, label="free energy / kJ/mol", extend="max")


def _heat(ax: Any, answer: Heat) -> None:
    answer.found.plot(ax)
    _on_the_map(ax, "Where does it go when heated?")


def _on_the_map(ax: Any, title: str) -> None:
    """Both torsions from end to end."""
    edge, names = 3.14159, ("-π", "0", "π")
    ax.set(
        xlim=(-edge, edge), ylim=(-edge, edge), xticks=(-edge, 0, edge), yticks=(-edge, 0, edge), xticklabels=names,
        yticklabels=names, xlabel="phi", ylabel="psi", title=title,
    )  # fmt: skip


def _wines(ax: Any, found: Wines) -> None:
    order = found.values.argsort()[::-1]
    colors = [ORANGE if found.names[p].startswith("all ") else BLUE for p in order]
    ax.barh(
        range(len(order)),
        found.values[order],
        xerr=found.values_se[order],
        color=colors,
        error_kw={"elinewidth": 0.8, "capsize": 2},
    )
    ax.set(
        yticks=range(len(order)),
        yticklabels=[found.names[p] for p in order],
        xlim=(0, 1.1),
        xlabel="Δ(measurement → cultivar) ± se: lower is better",
        title="Which measurement tells the cultivar?",
    )


def _few(ax: Any, found: Few) -> None:
    found.weights.plot(ax)
    ax.set(title="How few suffice, in which proportion?", xlabel="weight (standardised), 95 % interval")
