"""Compiled steps of a Gibbs sweep over a block of chains: order sums without a site, a draw, and the sums with it.

Arrays end in heads, so every innermost loop runs over neighbours in memory.  Order sums e_1 to e_{m-1} of order m lie
in slots of their own, order after order: those of interaction `at` (order at + 2) begin at at (at + 1) / 2.
"""

import numpy as np

from infoscope.base.jit import kernel

LANES = 16  # partial sums side by side, and the tokens that a draw looks at together


@kernel(references=False)
def leave_out(site, tokens, sums, legs, centres, positions, features, work):
    """What multiplies legs and centres in the logits of one site, `features` (n, K, 2, H): equation (2) of `energy`.

    `sums` (n, slots, L, H), `legs` and `centres` (V + 1, K, H), `positions` (L, K, L, H) of leg, order, centre, head.
    """
    n, length = tokens.shape
    n_orders, n_heads = legs.shape[1], legs.shape[2]
    for c in range(n):
        for at in range(n_orders):
            slot = at * (at + 1) // 2
            leg = legs[tokens[c, site], at]
            pull, own = features[c, at, 0], features[c, at, 1]
            top = sums[c, slot + at, site]
            for h in range(n_heads):
                pull[h] = 0
                own[h] = top[h]
            for i in range(length):
                centre, position = centres[tokens[c, i], at], positions[site, at, i]
                if at == 0:
                    for h in range(n_heads):
                        pull[h] += centre[h] * position[h]
                elif at == 1:
                    first = sums[c, slot, i]
                    for h in range(n_heads):
                        pull[h] += centre[h] * position[h] * (first[h] - position[h] * leg[h])
                else:
                    for h in range(n_heads):
                        work[h] = 1
                    for m in range(at):
                        e = sums[c, slot + m, i]
                        for h in range(n_heads):
                            work[h] = e[h] - position[h] * leg[h] * work[h]
                    for h in range(n_heads):
                        pull[h] += centre[h] * position[h] * work[h]


@kernel(references=False)
def shift(logits, bias, largest):
    """Add the bias and take the largest logit of every row away."""
    n, n_tokens = logits.shape
    whole = n_tokens - n_tokens % LANES
    for c in range(n):
        row = logits[c]
        for lane in range(LANES):
            largest[lane] = -np.inf
        for first in range(0, whole, LANES):
            for lane in range(LANES):
                value = row[first + lane] + bias[first + lane]
                row[first + lane] = value
                largest[lane] = value if value > largest[lane] else largest[lane]
        most = largest[0]
        for lane in range(1, LANES):
            most = max(most, largest[lane])
        for a in range(whole, n_tokens):
            row[a] += bias[a]
            most = max(most, row[a])
        for a in range(n_tokens):
            row[a] -= most


@kernel(references=False)
def draw(weights, uniform, site, tokens, sums, legs, positions, work, parts):
    """Draw the tokens of one site from weights (n, V), and bring the order sums of all other sites up to date."""
    n, length = tokens.shape
    n_tokens = weights.shape[1]
    n_orders, n_heads = legs.shape[1], legs.shape[2]
    whole = n_tokens - n_tokens % LANES
    for c in range(n):
        old = tokens[c, site]
        if old < 0:
            continue
        new = _inverse(weights[c], uniform[c], parts, whole)
        if new == old:
            continue
        tokens[c, site] = new
        for at in range(n_orders):
            slot = at * (at + 1) // 2
            before, after = legs[old, at], legs[new, at]
            for i in range(length):
                position = positions[site, at, i]
                if at == 0:
                    first = sums[c, 0, i]
                    for h in range(n_heads):
                        first[h] += position[h] * (after[h] - before[h])
                elif at == 1:
                    first, second = sums[c, slot, i], sums[c, slot + 1, i]
                    for h in range(n_heads):
                        change = position[h] * (after[h] - before[h])
                        second[h] += change * (first[h] - position[h] * before[h])
                        first[h] += change
                else:
                    for h in range(n_heads):
                        work[h] = 1
                    for m in range(at + 1):
                        e = sums[c, slot + m, i]
                        for h in range(n_heads):
                            without = e[h] - position[h] * before[h] * work[h]
                            e[h] += position[h] * (after[h] - before[h]) * work[h]
                            work[h] = without


@kernel(references=False)
def _inverse(weights, uniform, parts, whole):
    """The token at which the running sum of weights passes a share `uniform` of the total: sums of lanes first."""
    total = weights.dtype.type(0)
    for part in range(whole // LANES):
        some = weights.dtype.type(0)
        for lane in range(LANES):
            some += weights[part * LANES + lane]
        parts[part] = some
        total += some
    some = weights.dtype.type(0)
    for a in range(whole, len(weights)):
        some += weights[a]
    parts[whole // LANES] = some
    total += some
    left = uniform * total
    part = 0
    while part < whole // LANES and left >= parts[part]:
        left -= parts[part]
        part += 1
    found = -1
    for a in range(part * LANES, min(len(weights), (part + 1) * LANES)):
        if weights[a] > 0:
            found = a  # where rounding leaves a rest at the end, the last one that is possible
            left -= weights[a]
            if left < 0:
                break
    if found < 0:  # all of its weights are 0: rounding at the boundary of a part
        found = 0
        for a in range(1, len(weights)):
            found = a if weights[a] > weights[found] else found
    return found
