"""c(t) from HILLS, against runs whose bias less c(t) is known exactly."""

import numpy as np
import pytest
from tests.io import metadynamics
from tests.io.metadynamics import KT

from infoscope.base import DataError, ParameterError
from infoscope.io import hills_offset
from infoscope.io.hills import hills_beside, read_hills

RUNS = {
    "a torus": dict(n_dim=2, seed=1, n_steps=15_000),
    "a circle": dict(n_dim=1, seed=2, n_steps=10_000, n_grid=400),
    "stretched hills": dict(n_dim=1, seed=3, n_steps=10_000, n_grid=400, stretched=True),
    "an interval": dict(n_dim=1, seed=4, n_steps=10_000, n_grid=1200, periodic=False),
}


@pytest.mark.parametrize("name", RUNS)
def test_the_bias_less_its_growth(tmp_path, name):
    """To 0.01 kT that of the run itself: two variables, one, stretched hills, no period."""
    options = RUNS[name]
    frames, hills, _ = metadynamics.run(**options)
    periodic = options.get("periodic", True)
    metadynamics.write_hills(tmp_path / "HILLS", hills, periodic=periodic, stretched=options.get("stretched", False))
    limits = None if periodic else {"phi": (-np.pi, np.pi)}
    found = hills_offset(tmp_path / "HILLS", frames[:, 0], kT=KT, limits=limits)
    wrong = (frames[:, -2] - found - frames[:, -1]) / KT
    assert np.abs(wrong).max() < 0.01
    assert found.max() > KT  # it was worth while


def test_hills_that_do_not_shrink(tmp_path):
    """Without a bias factor c(t) is the logarithm of the mean of exp(V/kT): by hand, of one hill on a circle."""
    head = "#! FIELDS time phi sigma_phi height biasf\n#! SET min_phi -pi\n#! SET max_phi pi\n"
    (tmp_path / "HILLS").write_text(head + "1 3.0 0.2 5.0 1\n")
    x = np.linspace(-np.pi, np.pi, 100_001)[:-1]
    squares = np.minimum(np.abs(x - 3), 2 * np.pi - np.abs(x - 3)) ** 2 / (2 * 0.2**2)
    bias = np.where(squares < 6.25, 5 * np.exp(-squares), 0)
    expected = KT * np.log(np.mean(np.exp(bias / KT)))
    assert hills_offset(tmp_path / "HILLS", [1, 1.1], kT=KT) == pytest.approx([0, expected], abs=1e-3 * KT)


def test_large_biases_do_not_overflow(tmp_path):
    head = "#! FIELDS time phi sigma_phi height biasf\n#! SET min_phi -pi\n#! SET max_phi pi\n"
    rows = "".join(f"{t} {p:.3f} 0.5 {40 * KT:.6f} 1\n" for t, p in enumerate(np.tile(np.linspace(-3, 3, 10), 20)))
    (tmp_path / "HILLS").write_text(head + rows)
    found = hills_offset(tmp_path / "HILLS", np.arange(201), kT=KT)
    assert np.isfinite(found).all() and (np.diff(found) >= 0).all() and found[-1] > 1000 * KT


def test_which_hills_belong_to_a_file(tmp_path):
    for name in ("HILLS", "HILLS.1", "COLVAR", "COLVAR.1", "COLVAR.2"):
        (tmp_path / name).write_text("#! FIELDS time\n")
    beside = {name: hills_beside(tmp_path / name).name for name in ("COLVAR", "COLVAR.1", "COLVAR.2", "out.dat")}
    assert beside == {"COLVAR": "HILLS", "COLVAR.1": "HILLS.1", "COLVAR.2": "HILLS", "out.dat": "HILLS"}
    assert hills_beside(tmp_path / "other" / "COLVAR") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("#! FIELDS time phi\n1 2\n", "holds no hills"),
        ("#! FIELDS time phi sigma_phi height biasf\n", "holds no hills"),
        ("#! FIELDS time phi sigma_phi height biasf\n#! SET multivariate true\n1 0 1 1 5\n", "multivariate"),
        ("#! FIELDS time phi sigma_phi height biasf\n#! SET kerneltype triangular\n1 0 1 1 5\n", "triangular"),
        ("#! FIELDS time phi psi sigma_phi_phi sigma_psi_phi height\n1 0 0 1 1 5\n", "whose shape changes"),
        ("#! FIELDS time phi sigma_phi height biasf\n1 0 1 1 5\n2 0 1 1 6\n", "bias factor changes from 5 to 6"),
    ],
)
def test_what_is_refused(tmp_path, text, said):
    (tmp_path / "HILLS").write_text(text)
    with pytest.raises(DataError, match=said):
        read_hills(tmp_path / "HILLS")


def test_limits(tmp_path):
    (tmp_path / "HILLS").write_text("#! FIELDS time d sigma_d height biasf\n1 0.5 0.05 1.2 5\n")
    with pytest.raises(ParameterError, match="limits name x"):
        hills_offset(tmp_path / "HILLS", [2.0], kT=KT, limits={"x": (0, 1)})
    with pytest.raises(ParameterError, match="more than 5,000,000"):
        hills_offset(tmp_path / "HILLS", [2.0], kT=KT, limits={"d": (0, 1e6)})
    with pytest.raises(ParameterError, match="kT must be a positive number"):
        hills_offset(tmp_path / "HILLS", [2.0], kT=0)
