"""``infoscope sample``: samples of a law with several basins, as a TOML file describes it."""

from __future__ import annotations

import shlex
from typing import Annotated

import typer

from .options import Delivery, Jobs, Seed, count, value, with_groups, word

KINDS = "traces|works|learning|cost|autocorrelation|convergence|proposal"


@with_groups
def sample(
    file: Annotated[str, typer.Argument(metavar="CONFIG.toml", help="Target, variables, starts, options.")],
    *,
    iterations: Annotated[int | None, count(4, "Of production, in place of n_iter of the file.")] = None,
    resume: Annotated[
        str | None, value("FILE.npz", "Keep what has been computed so far; after a kill go on from there.")
    ] = None,
    out: Annotated[
        Delivery,
        {"output": "Populations: .csv, .parquet. The result: .json (for rerun), .npz (for load), .html (a page)."},
    ],
    kind: Annotated[str | None, word(KINDS, "Of the picture. Default: traces.")] = None,
    seed: Seed = 0,
    jobs: Jobs = None,
) -> None:
    """What states does this system hold, and with what weights?

    Chains move locally, and jump between basins: values of the collective variables are proposed by a density that is
    learnt in the run, everything else is dragged there, and the work decides. Prints populations and free energies with
    errors, and whether to believe them.

    Example: infoscope sample wells.toml --resume wells.npz --output wells.json --plot traces.png
    """
    from infoscope.sampling import FlowCVSampler

    from .deliver import check_targets, deliver
    from .inputs.sampling_config import read_sampling_config
    from .messages import messages

    check_targets(out)
    with messages(out.quiet):
        asked = read_sampling_config(file)
        run = dict(asked.run)
        if iterations is not None:
            run["n_iter"] = iterations
        sampler = FlowCVSampler(asked.target, asked.variables, **asked.sampler, n_jobs=jobs, random_state=seed)
        try:
            sampler.fit(asked.starts, checkpoint=resume, resume=resume is not None, **run)
        except KeyboardInterrupt:
            if resume is not None:
                again = shlex.join(["infoscope", "sample", file, "--resume", resume])
                typer.echo(f"stopped; what was computed is kept. Go on with the same command: {again}", err=True)
            raise
        picture = {"kind": kind} if kind else {}
        inputs = {"config": file, "n_chains": len(asked.starts)}
        deliver(sampler.result_, out, inputs, asked.files, **picture)
