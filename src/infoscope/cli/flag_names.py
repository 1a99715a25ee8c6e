"""Messages of the library in the words of the command line."""

from __future__ import annotations

import re

FLAGS = {
    **{name: f"--{name}" for name in ("time", "run", "period", "scale", "metric", "ids", "control", "alpha")},
    "exclusion_window": "--window",
    "target_kind": "--target-kind",
    "max_neighbors": "--max-neighbors",
    "n_rows": "--sample-rows",
    "n_columns": "--sample-columns",
    "n_permutations": "--permutations",
    "n_resamples": "--resamples",
    "max_features": "--size",
    "sample_weight": "--weights",
    "log_weights": "--log-weights",
    "missing": "--missing",
    **{name: f"--{name}" for name in ("header", "decimal", "separator", "encoding", "comment", "na")},
    "join": "--join",
    "date_format": "--date-format",
    "kT": "--kT",
    "binarize": "--binarize",
    "alpha_max": "--alpha-max",
    "n_samples": "--samples",
    "n_epochs": "--epochs",
    "n_subsets": "--subsets",
    **{name: f"--{name}" for name in ("lags", "fdr")},
    "n_bits": "--bits",
    "q": "--states",
    "token_budget": "--token-budget",
}
SWITCHES = {"truncate=True": "--truncate", "decoder=True": "--decoder", "(dtype=)": "(--dtype)"}
NO_QUOTES = {ord(sign): None for sign in "\"'"}
ASSIGNED = re.compile(rf"`?\b({'|'.join(FLAGS)})=([^\s`,;)]*)`?")
SLICES = {  # rows of Python, as options
    re.compile(r"rows=slice\(0, (\d+)\)"): r"--stop \1",
    re.compile(r"rows=slice\(None, None, (\d+)\)"): r"--stride \1",
}
CALLS = re.compile(  # what only Python offers
    r" or np\.(deg2rad|rad2deg)|, or pass on_low_weight='warn'|, or give present and future yourself \(future=\)"
    r"|, or pass processor=|; pass processor= where the network has seen others"
)
UNDERSCORED = re.compile(rf"\b({'|'.join(name for name in FLAGS if '_' in name)})\b")


def in_flags(text: str) -> str:
    """Say ``--window 0`` where the library says ``exclusion_window=0``, in one line.

    Examples
    --------
    >>> from infoscope.cli.flag_names import in_flags
    >>> in_flags("Pass `time=` or `run=`, or exclusion_window=0 to silence")
    'Pass --time or --run, or --window 0 to silence'
    >>> in_flags("leave out such rows (missing='drop')")
    'leave out such rows (--missing drop)'
    >>> in_flags("read the 458 whole frames with rows=slice(0, 458), or pass period=2*np.pi or np.rad2deg")
    'read the 458 whole frames with --stop 458, or pass --period 2pi'
    """
    text = CALLS.sub("", " ".join(text.split())).replace("2*np.pi", "2pi")
    for rows, option in SLICES.items():
        text = rows.sub(option, text)
    text = text.replace("time=False", "--time none")
    for said, option in SWITCHES.items():
        text = text.replace(said, option)
    text = ASSIGNED.sub(lambda match: f"{FLAGS[match[1]]} {match[2].translate(NO_QUOTES)}".rstrip(), text)
    text = text.replace("infoscope.io.hills_offset", "--hills FILE")
    return UNDERSCORED.sub(lambda match: FLAGS[match[1]], text)
