"""How likely the labels of a block of sessions are, given what happened in it: an exact e-value.

A block is n consecutive sessions of one stratum, n1 of them canaries. If the canary equals control, a router
that draws makes every labeling with n1 canaries equally likely given the values, whatever their distribution,
the share or the drift. So L = exp(sum over canaries of t) · C(n, n1) / e_n1(exp t_1, …, exp t_n), with e_k
the elementary symmetric polynomial, has mean exactly 1 over the labelings: conditional logistic regression,
one factor of a martingale a block.
"""

from math import lgamma, log

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Labels = NDArray[np.bool_]

FEWEST, MOST = 20, 400


def size(share: float) -> int:
    """Sessions in a block at a canary's share in [0, 1]: two of the rarer arm are expected; 20 to 400.

    >>> size(0.05), size(0.5), size(0.001)
    (40, 20, 400)
    """
    rarer = max(min(share, 1 - share), 2 / MOST)
    return max(FEWEST, min(MOST, -int(-2 // rarer)))


def log_likelihood(tilts: Numbers, canary: Labels) -> Numbers:
    """Logarithm of L by column. `tilts`: a row a session, a column an alternative; `canary`: the labels."""
    count, canaries = len(canary), int(canary.sum())
    if canaries in {0, count}:
        return np.zeros(tilts.shape[1])
    if 2 * canaries > count:  # the same by the rarer arm: e_n1(f) = (product of f) · e_n0(1/f)
        tilts, canary, canaries = -tilts, ~canary, count - canaries
    labelings = lgamma(count + 1) - lgamma(canaries + 1) - lgamma(count - canaries + 1)
    observed: Numbers = tilts[canary].sum(axis=0)
    return observed + labelings - _log_symmetric(tilts, canaries)


def _log_symmetric(tilts: Numbers, degree: int) -> Numbers:
    """Logarithm of e_degree(exp tilts), of each column.

    Read as odds of independent events, e_k is the chance that k of them happen over the chance that none
    does. Scaled so that about `degree` are expected, every number of the recursion lies in [0, 1].
    """
    count = len(tilts)
    scale = tilts.mean(axis=0) - log(degree / (count - degree))
    weights = np.exp(scale - tilts)
    happens = 1 / (1 + weights)
    fails = weights * happens
    chance = np.zeros((degree + 1, tilts.shape[1]))
    chance[0] = 1.0
    moved = np.empty((degree, tilts.shape[1]))
    for each in range(count):
        np.multiply(chance[:-1], happens[each], out=moved)
        chance *= fails[each]
        chance[1:] += moved
    result: Numbers = np.log(chance[-1]) - np.log(fails).sum(axis=0) + degree * scale
    return result
