"""What changed between two data sets: where one has more points than the other, by exact statistics of labels."""

from .anomaly import DensityAnomaly
from .density_equalization import Pruned, equalise_density
from .null import scan_critical_value, scan_null_tail, scan_score
from .power import PowerCurve, power_curve
from .regions import Region
from .result import Anomalies, Excess
from .scores import score_from_neighbors
from .several_references import ManyReferences, compare_many

__all__ = ["Anomalies", "DensityAnomaly", "Excess", "ManyReferences", "PowerCurve", "Pruned", "Region", "compare_many",
           "equalise_density", "power_curve", "scan_critical_value", "scan_null_tail", "scan_score",
           "score_from_neighbors"]  # fmt: skip
