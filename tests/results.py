"""One real result of every class, for tests that go through all of them."""

from functools import cache
from importlib.util import find_spec

import numpy as np
import pytest

import infoscope
from infoscope.anomalies import Anomalies, DensityAnomaly, ManyReferences, PowerCurve, compare_many, power_curve
from infoscope.causality import (
    CausalGraph,
    CommunityCausalGraph,
    DirectEdges,
    EmbeddingSuggestion,
    ImbalanceGain,
    Intervention,
    LagScan,
    TransferEntropy,
    imbalance_gain,
    interventional_effect,
    markov_transfer_entropy,
    refine_edges,
    scan_lags,
    suggest_embedding,
)
from infoscope.clones import (
    CloneLadder,
    CloneResult,
    CompatibilityIndex,
    GaussianFlow,
    InteractionDegree,
    InteractionModel,
    LadderLosses,
    LearningCurves,
    MarkovFloors,
    OrderLosses,
    OrderSpectrum,
    StudyTransformer,
    WeightMotion,
    learning_curves,
)
from infoscope.density import Clusters, ClusterScan, DecisionGraph, DensityPeaks, LogDensity, PAk
from infoscope.dimension import (
    BinarizationReport,
    BinaryCurve,
    BinaryDimension,
    BinaryID,
    Dimension,
    DimensionScan,
    Gride,
    HammingHistogram,
    LocalDimension,
    PointwiseDimension,
    TwoNN,
    binarization_report,
    hamming_histogram,
    local_dimension,
    pointwise_dimension,
    scan_alpha,
)
from infoscope.imbalance import DIIRise, LabelOverlap, NeighborhoodOverlap, dii_rise
from infoscope.imbalance.dii.results import FeatureWeights
from infoscope.imbalance.results import ImbalanceDifference, ImbalanceMatrix, InformationImbalance, ScaleCurve
from infoscope.imbalance.selection.feature_selection import select_features_imbalance
from infoscope.imbalance.selection.results import SelectionPath
from infoscope.measures import (
    CauchySchwarz,
    CauchySchwarzInformation,
    DensityCurvature,
    DiffusionInformation,
    DriftTable,
    EffectiveFeatures,
    EffectiveNumber,
    Entropy,
    FisherInformation,
    FrechetDistance,
    Information,
    InformationEstimationDistance,
    InformationMatrix,
    InformationPlane,
    KernelDiscrepancy,
    ManifoldSpread,
    NeighborDivergence,
    NuclearNorm,
    ParameterScale,
    Reliability,
    SlicedWasserstein,
    SpectralEntropy,
    StabilityIndex,
    StabilityTable,
)
from infoscope.quantum import (
    Chain,
    DisorderAverage,
    ExactQuantumState,
    ExactSpectrum,
    ExactSusceptibility,
    FidelitySusceptibility,
    GroundState,
    IsingFamily,
    QuantumExpectation,
    RandomFieldIsing,
    ReweightedExpectation,
    TrainingCurves,
    TransverseIsingChain,
    disorder_average,
    exact_spectrum,
    exact_susceptibility,
    fidelity_susceptibility,
    ground_state,
    quantum_expectation,
    reweighted_expectation,
    transverse_ising_chain_exact,
)
from infoscope.representations import (
    CheckpointComparison,
    ConditionalImbalance,
    ControlledTokens,
    DirectionComparison,
    JointImbalance,
    LayerComparison,
    LayerProfile,
    SemanticLayers,
    TokenNumberCurve,
    compare_checkpoints,
    compare_directions,
    compare_layers,
    conditional_imbalance,
    joint_imbalance,
    layer_profile,
    semantic_layers,
    token_lag_imbalance,
    token_number_curve,
)
from infoscope.sampling import (
    FlowCVSampler,
    FlowSamplingResult,
    FreeEnergyProfile,
    GaussianMixtureProposal,
    InvarianceCheck,
    SubsetVariables,
    Target,
    check_invariance,
    free_energy_profile,
)
from infoscope.statistics import CorrelationTime, OrderTest

X = np.random.default_rng(0).normal(size=(80, 3))
LONG = np.random.default_rng(1).normal(size=(200, 3))
WIDE = np.random.default_rng(3).normal(size=(2, 80, 30))
TOKENS = WIDE.reshape(40, 4, 30)
BITS = np.random.default_rng(1).random((120, 40)) < 0.5
RUN = np.repeat(["one", "two"], 40)
ISING = ExactQuantumState(IsingFamily(Chain(6)))


def double_well(x):
    """Energy and gradient of 4 (z^2 - 1)^2 + y^2."""
    z, y = x.T
    return 4 * (z**2 - 1) ** 2 + y**2, np.column_stack([16 * z * (z**2 - 1), 2 * y])


@cache
def sampled():
    """A short run between its wells."""
    law = GaussianMixtureProposal(np.array([[-1.0], [1.0]]), np.full((2, 1, 1), 0.05))
    run = FlowCVSampler(
        Target(double_well, True, n_coordinates=2),
        SubsetVariables([0], n_coordinates=2),
        proposal=law,
        step=0.3,
        step_length=0.2,
        n_local=2,
        basins=[0.0],
        random_state=0,
    )
    return run.fit([[-1.0, 0.0], [1.0, 0.0]], n_adapt=4, n_iter=24).result_


@cache
def cloned():
    """Pairs of neighbouring bits, and chains of them."""
    tokens = np.repeat(np.random.default_rng(0).integers(2, size=(600, 3)), 2, axis=1)
    model = InteractionModel(2, n_heads=1, n_steps=10).fit(tokens)
    return model.sample(tokens[:20], n_sweeps=8, n_jobs=1)


def climbed():
    """Two orders of pairs of neighbouring bits."""
    tokens = np.repeat(np.random.default_rng(0).integers(2, size=(600, 3)), 2, axis=1)
    return CloneLadder((1, 2), model=InteractionModel(n_heads=1, n_steps=10)).fit(tokens).compare(tokens[:50])


def learnt():
    """A model that comes to look at the token before, on pairs of equal bits and on independent ones."""
    real = np.repeat(np.random.default_rng(0).integers(2, size=(60, 3)), 2, axis=1)

    def trusts(much):
        return lambda tokens, sites: much * np.eye(2)[tokens[np.arange(len(tokens)), sites - 1]]

    clones = {1: np.random.default_rng(1).integers(2, size=(40, 6)), 2: real[::-1]}
    return learning_curves({0: trusts(0.0), 10: trusts(0.5), 20: trusts(1.0)}, clones, real, n_resamples=20)


def moved():
    """A transformer of one block, two steps long."""
    tokens = np.repeat(np.random.default_rng(0).integers(2, size=(60, 3)), 2, axis=1)
    return StudyTransformer(n_layers=1, n_heads=1, width=8, n_steps=2, n_kept=3).fit(tokens).weight_motion()


def _of_networks():
    """Those of networks that learn; none where the package that trains them is not installed."""
    if find_spec("torch") is None:
        return {}
    return {CloneResult: cloned(), LadderLosses: climbed(), WeightMotion: moved()}


@cache
def one_of_each():
    """One real result of every class of the library; made once in a process."""
    timed = infoscope.Space(X, time=np.tile(np.arange(40.0), 2), run=RUN, name="A")
    with pytest.warns(infoscope.base.CorrelatedRowsWarning):  # the warning is part of the result
        pair = infoscope.information_imbalance(timed, infoscope.Space(X[:, :1], run=RUN, time=timed.time))
    return {
        InformationImbalance: pair,
        ImbalanceMatrix: infoscope.imbalance_matrix({"x": X, "y": X[:, :2], "z": X[:, 2:]}, n_permutations=19),
        ScaleCurve: infoscope.imbalance_scale_curve(X, X[:, :2], k=(1, 4, 16)),
        ImbalanceDifference: infoscope.compare_imbalances(X[:, :2], X[:, 2:], X),
        NeighborhoodOverlap: infoscope.neighborhood_overlap(X, X[:, :2], k=5),
        LabelOverlap: infoscope.label_overlap(X, RUN, k=5),
        FeatureWeights: infoscope.DifferentiableImbalance(n_resamples=3, random_state=0).fit(X, X[:, :2]).result_,
        SelectionPath: select_features_imbalance(X, X[:, :2], max_features=2, validation=0.5, random_state=0),
        Dimension: TwoNN().fit(X).result_,
        LogDensity: PAk(dimension=3).fit(X).result_,
        Clusters: DensityPeaks(0.5, density=PAk(dimension=3, max_neighbors=20)).fit(X).result_,
        ClusterScan: DensityPeaks(0.5, density=PAk(dimension=3, max_neighbors=20)).fit(X).scan(),
        DecisionGraph: DensityPeaks(0.5, density=PAk(dimension=3, max_neighbors=20)).fit(X).decision_graph(),
        Anomalies: DensityAnomaly().fit(X[:40], np.r_[X[40:], X[40:] / 10 + 3]).result_,
        ManyReferences: compare_many([X[:40], X[20:60]], X[40:]),
        PowerCurve: power_curve(X, X[:10] / 10, (5, 8), n_trials=2, random_state=0),
        EmbeddingSuggestion: suggest_embedding(X[:, :1], max_dimension=2, max_delay=3),
        ImbalanceGain: imbalance_gain(X[:, :1], X[:, 1:2], future=X[:, 1:], condition=X[:, 2:], n_permutations=19),
        CausalGraph: CommunityCausalGraph(lags=[1, 2], n_epochs=5, n_subsets=2).fit(LONG).result_,
        DIIRise: dii_rise(X, X[:, :2]),
        DirectEdges: refine_edges(CommunityCausalGraph(n_epochs=5).fit(LONG).result_, LONG),
        LagScan: scan_lags(X[:, :1], X[:, 1:], [1, 2], n_permutations=19),
        LayerComparison: compare_layers([X, X[:, :2]], [X[:, 1:]], n_permutations=19, random_state=0),
        ConditionalImbalance: conditional_imbalance(X, X[:, 1:], X[:, 0], n_permutations=19, random_state=0),
        SemanticLayers: semantic_layers([X, X[:, :2]], [X[:, 1:], X], random_state=0),
        DirectionComparison: compare_directions([X], [X[:, :2]], metric="euclidean"),
        LayerProfile: layer_profile(WIDE, alpha_max=0.9, comparison=compare_layers(WIDE, WIDE[:1], n_permutations=19)),
        ControlledTokens: token_lag_imbalance(
            WIDE.reshape(40, 4, 30), lags=[1, 2], controls={"flat": WIDE.reshape(40, 4, 30)}
        ),
        TokenNumberCurve: token_number_curve(TOKENS, None, TOKENS[:, ::-1], None, numbers=(1, 3)),
        JointImbalance: joint_imbalance([X[:, :1], X[:, 1:]], X, metric="euclidean"),
        CheckpointComparison: compare_checkpoints([[X, X[:, :2]], [X, X[:, 1:]]]),
        FlowSamplingResult: sampled(),
        FreeEnergyProfile: free_energy_profile(sampled(), 6),
        QuantumExpectation: quantum_expectation(ISING, "energy", [0.8, 1.2], method="sampling", random_state=0),
        FidelitySusceptibility: fidelity_susceptibility(ISING, [0.6, 0.8, 1.0, 1.2], random_state=0),
        DisorderAverage: disorder_average(
            ExactQuantumState(RandomFieldIsing(Chain(4))), "energy", np.abs(X[:6, :1] + np.ones(4))
        ),
        ReweightedExpectation: reweighted_expectation(ISING, "energy", 1.0, [0.9, 1.1], random_state=0),
        TrainingCurves: TrainingCurves(
            couplings=np.array([[0.5], [1.5]]),
            coupling_names=("field",),
            n_sites=4,
            energy=np.array([[-4.0, np.nan], [-4.2, -6.5], [-4.25, -6.7]]),
            energy_se=np.full((3, 2), 0.01),
            v_score=np.array([[0.2, np.nan], [0.02, 0.05], [0.002, 0.004]]),
            diag_shift=np.full(3, 1e-3),
            truncated=np.zeros(3, bool),
            exact_energy=np.array([-4.27, -6.76]),
        ),
        TransferEntropy: markov_transfer_entropy([[0.5, 0.5], [0.2, 0.8]], [0, 1], [0, 1], [1, 2]),
        Intervention: interventional_effect(X[:40, :2], X[40:, :2], n_bootstrap=9, n_permutations=19, random_state=0),
        DimensionScan: Gride(max_rank=8).fit(X).result_,
        BinaryDimension: BinaryID().fit(BITS).result_,
        BinaryCurve: scan_alpha(BITS, (0.4, 0.8)),
        BinarizationReport: binarization_report(np.random.default_rng(2).normal(size=(120, 40)), ("sign", "median")),
        LocalDimension: local_dimension(BITS, n_shells=4),
        PointwiseDimension: pointwise_dimension(X, k=5, smoothing=4),
        HammingHistogram: hamming_histogram(BITS, n_groups=4),
        DensityCurvature: infoscope.density_curvature(X, scale=[0.5, 1.0]),
        InformationEstimationDistance: infoscope.information_estimation_distance(
            X[:, :2], X[:3, :2], X[3:6, :2], metric=True, n_draws=4, random_state=0
        ),
        FisherInformation: infoscope.fisher_information(
            lambda t, g: g.normal(t, 1, (80, 1)), at=0, step=0.5, method="gaussian", random_state=0
        ),
        ParameterScale: infoscope.parameter_scale([1.0, 2.0], parameters=[0.0, 1.0], information_se=[0.1, 0.1]),
        InformationPlane: infoscope.information_plane({"copy": X, "part": X[:, :1]}, X, RUN, noise=0.5),
        EffectiveNumber: infoscope.effective_number(X, kernel="gaussian"),
        SpectralEntropy: infoscope.diffusion_spectral_entropy(X, sigma="sweep"),
        DiffusionInformation: infoscope.diffusion_spectral_information(X, RUN, n_subsets=3, exclusion_window=0),
        NuclearNorm: infoscope.nuclear_norm(X),
        ManifoldSpread: infoscope.manifold_spread(X, np.arange(80) % 8),
        EffectiveFeatures: infoscope.effective_features(np.abs(X)),
        Information: infoscope.mutual_information(X, X[:, :1] + X[:, 1:2] ** 2, n_permutations=19),
        InformationMatrix: infoscope.pairwise_mutual_information(X, n_permutations=19),
        Entropy: infoscope.entropy(X),
        Reliability: infoscope.reliability(lambda a, b: np.corrcoef(a, b)[0, 1], X[:, 0], X.sum(1), n_permutations=19),
        StabilityIndex: infoscope.stability_index(X[:40, 0], X[40:, 0], n_permutations=19, random_state=0),
        StabilityTable: infoscope.information_value(X[:, ::2], X[:, 1] > 0.1, n_bins=3, random_state=0),
        DriftTable: infoscope.drift_table(X[:40], X[40:] + [0.9, 0, 0], n_permutations=19, random_state=0),
        FrechetDistance: infoscope.frechet_distance(X[:40], X[40:], n_permutations=19, random_state=0),
        KernelDiscrepancy: infoscope.mmd(X[:40], X[40:], n_permutations=19, random_state=0),
        SlicedWasserstein: infoscope.sliced_wasserstein(X[:40], X[40:], n_permutations=19, random_state=0),
        CauchySchwarz: infoscope.cauchy_schwarz(X[:40], X[40:], n_permutations=19, random_state=0),
        CauchySchwarzInformation: infoscope.cauchy_schwarz_information(X[:, :1], X[:, 1:], n_permutations=19),
        NeighborDivergence: infoscope.kl_divergence(LONG[:100], LONG[100:], kind="jeffreys", n_permutations=19),
        InvarianceCheck: check_invariance(
            Target(lambda x: (x**2).sum(1) / 2, lambda x: x, n_coordinates=3),
            SubsetVariables([0], n_coordinates=3),
            X,
            random_state=0,
        ),
        OrderLosses: infoscope.exact_order_losses(np.arange(1.0, 9.0) / 36, 3, 2),
        InteractionDegree: infoscope.interaction_degree(np.arange(8.0) ** 2, 3, 2),
        CompatibilityIndex: infoscope.compatibility_index(
            lambda s, sites: np.c_[s[:, 0] + 0.1 * s.sum(1) * (sites > 1), s[:, 2]], BITS[:, :3].astype(int)
        ),
        OrderSpectrum: infoscope.order_spectrum(BITS[:, :3].astype(int)),
        MarkovFloors: infoscope.markov_floors([[0.9, 0.1], [0.2, 0.8]], length=5),
        GaussianFlow: infoscope.gaussian_gradient_flow(X.T @ X / 80, [0.0, 1.0, 5.0]),
        GroundState: ground_state(IsingFamily(Chain(3)), 1.0),
        ExactSpectrum: exact_spectrum(IsingFamily(Chain(3)), [0.0, 0.5, 1.0]),
        ExactSusceptibility: exact_susceptibility(IsingFamily(Chain(3)), [0.5, 1.0]),
        TransverseIsingChain: transverse_ising_chain_exact(4, [0.5, 1.0]),
        LearningCurves: learnt(),
        CorrelationTime: infoscope.correlation_time(X),
        OrderTest: infoscope.statistics.adjacency_test(np.arange(80), np.roll(np.arange(80), 1), 80),
    } | _of_networks()
