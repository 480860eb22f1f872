"""The deflated scores that `crates/cli/src/tuning/tests.rs` holds ours against; needs nothing but Python.

Bailey and Lopez de Prado 2014, "The deflated Sharpe ratio", equations 1 and 2, for the standard deviation of a correlation.
"""

from math import e
from statistics import NormalDist

EULER = 0.5772156649015329
normal = NormalDist()

for best, trials, deviation in [(0.08, 1, 0.02), (0.05, 2, 0.02), (0.05, 30, 0.02), (0.03, 1000, 0.01)]:
    highest = 0.0
    if trials > 1:
        first, second = normal.inv_cdf(1 - 1 / trials), normal.inv_cdf(1 - 1 / (trials * e))
        highest = (1 - EULER) * first + EULER * second
    expected = deviation * highest
    print((best, trials, deviation, expected, normal.cdf((best - expected) / deviation)))
