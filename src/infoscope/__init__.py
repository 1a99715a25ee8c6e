"""infoscope: what information high-dimensional data holds.

Point it at data and ask which data tells about which; the answer is a number, its error bar and a picture.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "anomalies": (
        "Anomalies",
        "DensityAnomaly",
        "compare_many",
        "equalise_density",
        "power_curve",
        "scan_critical_value",
        "scan_null_tail",
        "scan_score",
        "score_from_neighbors",
    ),
    "causality": (
        "CausalGraph",
        "Communities",
        "CommunityCausalGraph",
        "CommunityScores",
        "DirectEdges",
        "EmbeddingSuggestion",
        "ImbalanceGain",
        "Intervention",
        "LagScan",
        "LangevinGrid",
        "LinearProcess",
        "TransferEntropy",
        "communities",
        "community_scores",
        "embed",
        "intervene",
        "imbalance_gain",
        "interventional_effect",
        "markov_transfer_entropy",
        "ou_intervention",
        "ou_transfer_entropy",
        "refine_edges",
        "sample_times",
        "scan_lags",
        "suggest_embedding",
        "transfer_entropy",
    ),
    "representations": (
        "CheckpointComparison",
        "LayerComparison",
        "RepresentationStore",
        "compare_checkpoints",
        "compare_layers",
    ),
    "sampling": ("DefensiveProposal", "GaussianMixtureProposal"),
    "neighbors": (
        "KernelSums",
        "NeighborGraph",
        "Space",
        "as_space",
        "count_closer",
        "count_within",
        "distance_histogram",
        "kernel_sums",
        "nearest",
        "nearest_blocks",
        "nearest_product",
        "order_test",
    ),
    "imbalance": (
        "DIILoss",
        "DIIRise",
        "DifferentiableImbalance",
        "FeatureWeights",
        "ImbalanceDifference",
        "ImbalanceMatrix",
        "InformationImbalance",
        "LabelOverlap",
        "NeighborhoodOverlap",
        "ScaleCurve",
        "SelectionPath",
        "batch_ranks",
        "compare_imbalances",
        "dii_backward",
        "dii_exhaustive",
        "dii_forward",
        "dii_loss",
        "dii_path",
        "dii_rise",
        "dii_value_and_grad",
        "imbalance_matrix",
        "imbalance_scale_curve",
        "information_imbalance",
        "label_overlap",
        "neighborhood_overlap",
        "select_features_imbalance",
    ),
    "io": ("load", "save"),
    "density": (
        "BMTI",
        "ClusterScan",
        "Clusters",
        "DecisionGraph",
        "DensityPeaks",
        "KNNDensity",
        "KStarNN",
        "LogDensity",
        "PAk",
    ),
    "dimension": (
        "ABIDE",
        "BinaryCurve",
        "BinaryDimension",
        "BinaryID",
        "Decimation",
        "Dimension",
        "DimensionScan",
        "Gride",
        "HammingHistogram",
        "LatticeID",
        "LocalDimension",
        "TwoNN",
        "hamming_histogram",
        "local_dimension",
        "pack_bits",
        "prefix_curve",
        "scan_alpha",
        "select_alpha",
    ),
    "measures": (
        "CanonicalCompressor",
        "CauchySchwarz",
        "CauchySchwarzInformation",
        "DensityCurvature",
        "DiffusionInformation",
        "DriftTable",
        "EffectiveFeatures",
        "EffectiveNumber",
        "Entropy",
        "FisherInformation",
        "FrechetDistance",
        "Information",
        "InformationEstimationDistance",
        "InformationMatrix",
        "InformationPlane",
        "KernelDiscrepancy",
        "ManifoldSpread",
        "NeighborDivergence",
        "NuclearNorm",
        "ParameterScale",
        "Reliability",
        "SlicedWasserstein",
        "SpectralEntropy",
        "StabilityIndex",
        "StabilityTable",
        "cauchy_schwarz",
        "cauchy_schwarz_information",
        "conditional_mutual_information",
        "density_curvature",
        "diffusion_spectral_entropy",
        "diffusion_spectral_information",
        "drift_table",
        "effective_features",
        "effective_number",
        "entropy",
        "fisher_information",
        "frechet_distance",
        "information_estimation_distance",
        "information_plane",
        "information_value",
        "kl_divergence",
        "manifold_spread",
        "matrix_entropy",
        "mmd",
        "mutual_information",
        "neural_information",
        "nuclear_norm",
        "pairwise_mutual_information",
        "parameter_scale",
        "reliability",
        "sliced_wasserstein",
        "stability_index",
        "total_correlation",
    ),
    "statistics": ("correlation_time", "effective_sample_size"),
}
_ROOMS = (
    "anomalies",
    "base",
    "causality",
    "cli",
    "datasets",
    "density",
    "dimension",
    "imbalance",
    "io",
    "measures",
    "neighbors",
    "representations",
    "sampling",
    "statistics",
    "storage",
)
_NAMES = {name: home for home, names in _HOMES.items() for name in names}

__all__ = ["__version__", *sorted(_NAMES)]


def __getattr__(name: str) -> Any:
    """Subpackages load when first used, so that importing infoscope is fast (`__init__.pyi` lists the names)."""
    if name == "__version__":
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version("infoscope")
        except PackageNotFoundError:  # used from a source tree
            return "unknown"
    if name in _NAMES:
        value = getattr(import_module(f"infoscope.{_NAMES[name]}"), name)
        globals()[name] = value
        return value
    if name in _ROOMS:
        return import_module(f"infoscope.{name}")
    raise AttributeError(f"module 'infoscope' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_ROOMS})
