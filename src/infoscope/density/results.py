"""What the estimators of a density return: one log density for every item, with its error."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from infoscope.base import Origin, Provenance, Result
from infoscope.base.contents import holds, integers, numbers, whole
from infoscope.base.origin import spell_item
from infoscope.base.rounding import first_lowest
from infoscope.statistics.units import energy_unit

if TYPE_CHECKING:
    import pandas

REFERENCES = {"k-NN": (), "k*-NN": ("k_star",), "PAk": ("pak", "k_star"), "BMTI": ("bmti", "k_star")}


@dataclass(frozen=True, kw_only=True, eq=False)
class LogDensity(Result):
    """Log density at every item.

    Attributes
    ----------
    log_density, log_density_se : array (N,)
        Natural logarithm of the probability density in the intrinsic dimension, and its standard error.
    k_star : array (N,) of int
        Neighbours that were used.
    dimension : float
        Intrinsic dimension.
    method : str
        "k-NN", "k*-NN", "PAk" or "BMTI".
    n_items, n_duplicates : int
        Items; those that repeat another one.
    n_effective : float
        Kish's number of equally weighted items.
    entropy, entropy_se : float
        Differential entropy in nats (Kozachenko-Leonenko), and its standard error, which is that of the sample alone.
        Where the density changes within neighbourhoods by more, as from ten dimensions on, `warnings` says so.
    inefficiency : float
        Rows of a series that count as one, at a typical item; 1 for independent items.
    component : array (N,) of int or None
        Connected part of the neighbour graph of every item, the largest first (BMTI).
    n_components : int
        How many parts there are (BMTI).
    residual : float
        Norm of b - A l over that of b, of the equations A l = b that were solved (BMTI).
    n_iterations : int
        Steps that took, 0 without iteration (BMTI).
    solver : str
        Who solved them (BMTI).
    calibration : float
        What claimed errors were multiplied with.
    coordinates : array (N, D) or None
        The features, for pictures.
    feature_names : sequence of str or None
        Their names.
    origin : Origin or None
        File, row (or frame), time and name of every item, as far as they are known.
    temperature, units : float, str
        Of free energies in table and picture; `with_units` changes them.
    """

    log_density: np.ndarray = field(repr=False)
    log_density_se: np.ndarray = field(repr=False)
    k_star: np.ndarray = field(repr=False)
    dimension: float
    method: str
    n_items: int = 0
    n_duplicates: int = 0
    n_effective: float = np.nan
    entropy: float = np.nan
    entropy_se: float = np.nan
    inefficiency: float = 1.0
    component: Any = field(default=None, repr=False)
    n_components: int = 1
    residual: float = 0.0
    n_iterations: int = 0
    solver: str = ""
    calibration: float = 1.0
    coordinates: Any = field(default=None, repr=False)
    feature_names: Any = field(default=None, repr=False)
    origin: Origin | None = field(default=None, repr=False)
    temperature: float = 300.0
    units: str = "kT"
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        "log_density": numbers("n_items"),
        "log_density_se": numbers("n_items"),
        "k_star": integers("n_items", below="n_items"),
        "component": integers("n_items", low=-1, below="n_components") | None,
        "coordinates": numbers("n_items", "D") | None,
        "n_components": whole(),
        "origin": holds(Origin, length="n_items") | None,
        "n_duplicates": whole(),
        "n_iterations": whole(),
    }

    @property
    def _references(self) -> tuple[str, ...]:  # type: ignore[override]
        return REFERENCES[self.method]

    @property
    def _title(self) -> str:
        return f"Log density ({self.method}, N = {self.n_items}, dimension {self.dimension:.3g})"

    @property
    def _estimates(self) -> list[tuple[str, float, float]]:
        places = (("highest", first_lowest(-self.log_density, 1.0)), ("lowest", first_lowest(self.log_density, 1.0)))
        named = [(f"{name} ({spell_item(self.origin, at)})", at) for name, at in places]
        return [(name, float(self.log_density[at]), float(self.log_density_se[at])) for name, at in named]

    @property
    def verdict(self) -> str:
        """One sentence: how far the density reaches, and how well it is known."""
        low, high = np.min(self.log_density), np.max(self.log_density)
        kt = energy_unit(self.temperature, self.units)
        return (
            f"Between the densest and the emptiest place lie {kt * (high - low):.3g} {self.units}; a typical item uses "
            f"{np.median(self.k_star):.3g} neighbours, and its free energy is known to "
            f"{kt * np.median(self.log_density_se):.2g}."
        )

    def free_energy(self, temperature: float = 300.0, units: str = "kJ/mol") -> tuple[np.ndarray, np.ndarray]:
        """-kT times the log density, its minimum at zero, and its standard error.

        Parameters
        ----------
        temperature : float
            In kelvin; of no use for ``units="kT"``.
        units : {"kJ/mol", "kcal/mol", "kT"}
            Of the answer.

        Returns
        -------
        values, errors : array (N,)

        Raises
        ------
        ParameterError
            Unknown units, a temperature that is not positive.
        """
        return free_energy(self.log_density, self.log_density_se, temperature, units)

    def to_frame(self) -> pandas.DataFrame:
        """One row an item: where it is from, log density, free energy (in `units`), their errors, neighbours."""
        import pandas

        value, error = self.free_energy(self.temperature, self.units)
        return pandas.DataFrame(
            {
                **({} if self.origin is None else self.origin.columns()),
                "log_density": self.log_density,
                "log_density_se": self.log_density_se,
                "free_energy": value,
                "free_energy_se": error,
                "k_star": self.k_star,
            }
        )

    def with_units(self, units: str, temperature: float = 300.0) -> LogDensity:
        """The same result, its table and pictures in other units ("kT", "kJ/mol", "kcal/mol")."""
        energy_unit(temperature, units)
        return replace(self, units=units, temperature=float(temperature))


def free_energy(log_density, log_density_se, temperature: float = 300.0, units: str = "kJ/mol"):
    """-kT log density above its minimum, and kT times its error.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.density.results import free_energy
    >>> free_energy(np.array([-1.0, -3.0]), np.array([0.1, 0.2]), units="kT")
    (array([0., 2.]), array([0.1, 0.2]))
    """
    kt = energy_unit(temperature, units)
    value = np.asarray(log_density, float)
    return kt * (value.max() - value), kt * np.asarray(log_density_se, float)
