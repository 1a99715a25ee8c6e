"""A small well-tempered metadynamics of a particle on a torus or an interval, with exact c(t), written as by PLUMED.

At every step the bias and c(t) are those of the hills before it; a hill is added after the step.  The integrals of c(t)
are sums over a grid of the whole torus (or interval), which also holds the bias, and nothing of the library is used.
"""

import numpy as np

KT = 2.494338785445972  # kJ/mol at 300 K
CUTOFF = 6.25  # of x^2 / 2 sigma^2, as in PLUMED


def kernel(half_squares, stretched):
    """A hill of height one: cut off, or stretched so that it ends at zero."""
    plain = np.exp(-half_squares)
    if stretched:
        plain = (plain - np.exp(-CUTOFF)) / (1 - np.exp(-CUTOFF))
    return np.where(half_squares < CUTOFF, plain, 0.0)


def run(
    n_dim=2, *, periodic=True, n_steps=30_000, pace=50, stride=10, height=1.2, sigma=0.35, factor=8.0, depth=12.0,
    seed=0, stretched=False, n_grid=90, dt=0.008,
):  # fmt: skip
    """Frames (time, coordinates, bias, rbias), hills as PLUMED writes them, and the potential of every frame."""
    g = np.random.default_rng(seed)
    edge = np.linspace(-np.pi, np.pi, n_grid, endpoint=not periodic)
    step = edge[1] - edge[0]
    axes = np.meshgrid(*[edge] * n_dim, indexing="ij")
    # two valleys along the first coordinate, one along the second
    potential = depth / 4 * (1 - np.cos(2 * axes[0])) + 2.0 * np.sin(axes[0])
    potential = potential + sum(1.5 * (1 - np.cos(q)) for q in axes[1:])
    slopes = [depth / 2 * np.sin(2 * axes[0]) + 2.0 * np.cos(axes[0]), *(1.5 * np.sin(q) for q in axes[1:])]
    bias, cells = np.zeros_like(potential), np.ones_like(potential)
    if not periodic:
        cells[[0, -1]] = 0.5  # one variable
    noise = np.sqrt(2 * KT * dt) * g.normal(size=(n_steps, n_dim))
    corners = list(np.ndindex(*[2] * n_dim))

    def value(array, at):
        """Multilinear interpolation."""
        total = 0.0
        place = [(q + np.pi) / step for q in at]
        low = [min(int(p), n_grid - (1 if periodic else 2)) for p in place]
        for corner in corners:
            share = 1.0
            for p, l, up in zip(place, low, corner, strict=True):
                share *= p - l if up else 1 - (p - l)
            total += share * array[tuple([(l + up) % n_grid for l, up in zip(low, corner, strict=True)])]
        return float(total)

    x, offset, frames, hills = [0.1] * n_dim, 0.0, [], []
    for number in range(n_steps):
        if number % stride == 0:
            here = value(bias, x)
            frames.append([0.1 * number, *x, here, here - offset, value(potential, x)])
        if number and number % pace == 0:
            scaled = height * np.exp(-value(bias, x) / (KT * (factor - 1)))
            away = [a - q for a, q in zip(axes, x, strict=True)]
            away = [d - 2 * np.pi * np.rint(d / (2 * np.pi)) for d in away] if periodic else away
            shape = kernel(sum(d**2 for d in away) / (2 * sigma**2), stretched)
            bias = bias + scaled * shape
            slopes = [s - scaled * shape * d / sigma**2 for s, d in zip(slopes, away, strict=True)]
            hills.append([0.1 * number, *x, *[sigma] * n_dim, scaled * factor / (factor - 1), factor])
            up = (cells * np.exp(factor / (factor - 1) * bias / KT)).sum()
            down = (cells * np.exp(bias / ((factor - 1) * KT))).sum()
            offset = KT * np.log(up / down)
        x = [q - dt * value(s, x) + kick for q, s, kick in zip(x, slopes, noise[number].tolist(), strict=True)]
        x = [(q + np.pi) % (2 * np.pi) - np.pi if periodic else min(max(q, -3.14), 3.14) for q in x]
    *columns, energy = np.array(frames).T
    return np.array(columns).T, np.array(hills), energy


def write_colvar(path, frames, *, periodic=True, rbias=True):
    """As PLUMED's PRINT."""
    names = ["phi", "psi"][: frames.shape[1] - 3]
    head = f"#! FIELDS time {' '.join(names)} metad.bias{' metad.rbias' if rbias else ''}\n"
    if periodic:
        head += "".join(f"#! SET min_{name} -pi\n#! SET max_{name} pi\n" for name in names)
    with open(path, "w") as file:
        file.write(head)
        np.savetxt(file, frames if rbias else frames[:, :-1], fmt="%.6f")


def write_hills(path, hills, *, periodic=True, stretched=False):
    """As PLUMED's METAD."""
    names = ["phi", "psi"][: (hills.shape[1] - 3) // 2]
    head = f"#! FIELDS time {' '.join(names)} {' '.join(f'sigma_{name}' for name in names)} height biasf\n"
    head += "#! SET multivariate false\n"
    head += "#! SET kerneltype stretched-gaussian\n" if stretched else "#! SET kerneltype gaussian\n"
    if periodic:
        head += "".join(f"#! SET min_{name} -pi\n#! SET max_{name} pi\n" for name in names)
    with open(path, "w") as file:
        file.write(head)
        np.savetxt(file, hills, fmt="%.10g")
