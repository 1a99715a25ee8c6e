"""``infoscope quantum``: one network for a family of quantum systems, as a TOML file describes it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from .options import Delivery, Seed, count, value, with_groups, word

KINDS = "scan|error|v_scores|energy|map|parity|collapse|histogram|scatter"


@with_groups
def quantum(
    file: Annotated[str, typer.Argument(metavar="CONFIG.toml", help="Family, couplings, network, question.")],
    *,
    iterations: Annotated[int | None, count(1, "Of training, in place of n_iter of the file.")] = None,
    resume: Annotated[
        str | None, value("FILE.npz", "Keep what has been trained so far; after a kill go on from there.")
    ] = None,
    out: Annotated[
        Delivery,
        {"output": "A row a system: .csv, .parquet. The result: .json (for rerun), .npz (for load), .html (a page)."},
    ],
    kind: Annotated[str | None, word(KINDS, "Of the picture. Default: the first that the result has.")] = None,
    seed: Seed = 0,
) -> None:
    """How does a whole family of quantum systems behave?

    One network takes the couplings of the Hamiltonian beside the spins, and is trained once for all of them. Prints
    energies, observables, disorder averages or the fidelity susceptibility at any couplings, with errors, and whether
    to believe them; or, with what = "training", how the training of each system went.

    Example: infoscope quantum ising.toml --resume ising.npz --output ising.json --plot ising.png
    """
    from infoscope.base.errors import ParameterError

    from .deliver import check_targets, deliver
    from .inputs.quantum_config import read_quantum_config
    from .messages import messages

    check_targets(out)
    with messages(out.quiet):
        asked = read_quantum_config(file)
        if asked.trained is None and (resume is not None or iterations is not None):
            raise ParameterError(f"{file} diagonalises (exact = true): --resume and --iterations are for training")
        state = _state(asked, file, iterations, resume, seed)
        found = _answer(state, asked, seed)
        picture: dict[str, Any] = {"kind": kind} if kind else {}
        if (
            asked.with_exact
            and asked.what != "training"
            and (kind or "scan") in ("scan", "error", "histogram", "scatter")
        ):
            picture["exact"] = _exact_values(asked)
        inputs = {"config": file, "n_sites": asked.family.n_sites}
        deliver(found, out, inputs, asked.files, **picture)


# --------------------------------------------------------------------------------------------------------------- steps
def _state(asked: Any, file: str, iterations: int | None, resume: str | None, seed: int) -> Any:
    """The trained network, or the exact state."""
    from infoscope.quantum import ExactQuantumState

    if asked.trained is None:
        return ExactQuantumState(asked.family)
    from infoscope.quantum import FoundationQuantumState

    network = dict(asked.network)
    if iterations is not None:
        network["n_iter"] = iterations
    state = FoundationQuantumState(asked.family, **network, random_state=seed)
    try:
        return state.fit(asked.trained, checkpoint=resume, resume=resume is not None)
    except KeyboardInterrupt:
        if resume is not None:
            again = f"infoscope quantum {file} --resume {resume}"
            typer.echo(f"stopped; what was trained is kept. Go on with the same command: {again}", err=True)
        raise


def _answer(state: Any, asked: Any, seed: int) -> Any:
    from infoscope.quantum import disorder_average, fidelity_susceptibility, quantum_expectation

    if asked.trained is not None:
        from infoscope.quantum import training_curves

        curves = training_curves(state, exact=asked.with_exact and asked.what == "training")
        if asked.what == "training":
            return curves
        typer.echo(f"training: {curves.verdict}")
    given = {**asked.options, "random_state": seed}
    if asked.what == "susceptibility":
        return fidelity_susceptibility(state, asked.couplings, **given)
    ask = quantum_expectation if asked.what == "expectation" else disorder_average
    return ask(state, asked.observable, asked.couplings, name=asked.name, **given)


def _exact_values(asked: Any) -> Any:
    """One exact number a system, for the picture."""
    from infoscope.quantum import ExactQuantumState, fidelity_susceptibility, quantum_expectation

    exact = ExactQuantumState(asked.family)
    if asked.what == "susceptibility":
        return fidelity_susceptibility(exact, asked.couplings).chi[:, 0, 0]
    return quantum_expectation(exact, asked.observable, asked.couplings).value
