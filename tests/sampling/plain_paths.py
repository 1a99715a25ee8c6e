"""The path kernels once more: one path, one step at a time, as the equations are written."""

import numpy as np


def schedule(name, t):
    return t if name == "linear" else (1 - np.cos(np.pi * t)) / 2


def station(z0, z1, k, n_steps, name):
    return z0 + (z1 - z0) * schedule(name, k / n_steps)


def underdamped(phi, grad, z0, z1, y, n_steps, step, noise, *, friction=0.0, masses=1.0, name="linear"):
    alpha, added = friction * step / (4 * masses), np.sqrt(friction * step)
    p, work, begin = np.sqrt(masses) * noise[0], 0.0, phi(z0, y)
    for k in range(n_steps):
        now, then = station(z0, z1, k, n_steps, name), station(z0, z1, k + 1, n_steps, name)
        if friction:
            p = ((1 - alpha) * p + added * noise[2 * k + 1]) / (1 + alpha)
        work -= (p**2 / masses).sum() / 2
        p = p - step / 2 * grad(now, y)
        y = y + step * p / masses
        p = p - step / 2 * grad(then, y)
        work += (p**2 / masses).sum() / 2
        if friction:
            p = ((1 - alpha) * p + added * noise[2 * k + 2]) / (1 + alpha)
    return y, -(work + phi(z1, y) - begin)


def overdamped(phi, grad, z0, z1, y, n_steps, dt, noise, path, *, log_uniform=None, coin=True, name="linear"):
    begin, work, ratios = phi(z0, y), 0.0, 0.0
    for k in range(n_steps + path.startswith("sym")):
        here = station(z0, z1, k, n_steps, name)
        there = station(z0, z1, k + 1, n_steps, name)
        if path.startswith("sym"):
            ahead, back = here, here
        elif path == "asym":
            ahead, back = there, here
        else:
            ahead = back = there if coin else here
        if path == "coin_mala" and coin:
            work += phi(there, y) - phi(here, y)
        new = y - dt * grad(ahead, y) + np.sqrt(2 * dt) * noise[k]
        returned = y - new + dt * grad(back, new)
        ratio = -((returned**2).sum() - 2 * dt * (noise[k] ** 2).sum()) / (4 * dt)
        if path.endswith("mala"):
            if log_uniform[k] <= ratio - (phi(ahead, new) - phi(ahead, y)):
                y = new
            if path == "sym_mala" and k < n_steps or path == "coin_mala" and not coin:
                work += phi(there, y) - phi(here, y)
        else:
            y, ratios = new, ratios + ratio
    if path.endswith("mala"):
        return y, -work
    return y, -(phi(z1, y) - begin) + ratios
