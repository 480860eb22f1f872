"""Golden values for the Gaussian process of `crates/hpo`, from scikit-learn; the log of the expected improvement from mpmath.

  pip install scikit-learn mpmath
  python scripts/golden_gaussian.py            # writes crates/hpo/tests/golden/gaussian.json
  python scripts/golden_gaussian.py --check    # exit 1 where it differs from what would be written
"""

import json
import sys
from pathlib import Path

import mpmath
import numpy as np
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

FILE = Path(__file__).resolve().parent.parent / "crates" / "hpo" / "tests" / "golden" / "gaussian.json"


def process(rng, count, lengths, variance, noise):
    points = rng.random((count, len(lengths)))
    values = np.sin(5 * points[:, 0]) + points.sum(1) ** 2 - 1 + 0.1 * rng.standard_normal(count)
    asked = rng.random((6, len(lengths)))
    kernel = ConstantKernel(variance) * Matern(lengths, nu=2.5) + WhiteKernel(noise)
    model = GaussianProcessRegressor(kernel, optimizer=None, alpha=0.0).fit(points, values)
    mean, spread = model.predict(asked, return_std=True)
    evidence, slopes = model.log_marginal_likelihood(model.kernel_.theta, eval_gradient=True)
    return {
        "points": points.tolist(),
        "values": values.tolist(),
        "rates": [1 / length**2 for length in lengths],
        "variance": variance,
        "noise": noise,
        "evidence": evidence + count / 2 * np.log(2 * np.pi),
        # By the logs of the rates, of the variance and of the noise; scikit-learn has variance, lengths, noise.
        "slopes": [*(-slopes[1:-1] / 2).tolist(), slopes[0], slopes[-1]],
        "asked": asked.tolist(),
        "mean": mean.tolist(),
        # Without the noise of what would be told there.
        "spread": np.sqrt(spread**2 - noise).tolist(),
    }


def log_expected(best, mean, spread):
    mpmath.mp.dps = 60
    z = (mpmath.mpf(best) - mean) / spread
    return float(mpmath.log(spread * (mpmath.npdf(z) + z * mpmath.ncdf(z))))


def main():
    rng = np.random.default_rng(7)
    cases = [
        process(rng, 12, [0.4, 0.9], 1.3, 1e-3),
        process(rng, 31, [0.2, 0.5, 3.0, 1.0], 0.7, 1e-2),
    ]
    triples = [(0.0, z, 1.0) for z in (-3.0, 0.0, 1.0, 5.0, 12.0, 19.9, 20.1, 30.0, 80.0)] + [(1.5, 2.0, 0.01), (-1.0, 3.0, 2.0)]
    expected = [[*triple, log_expected(*triple)] for triple in triples]
    text = json.dumps({"processes": cases, "log_expected": expected}, separators=(",", ":")) + "\n"
    if "--check" in sys.argv:
        sys.exit(FILE.read_text() != text)
    FILE.write_text(text)


if __name__ == "__main__":
    main()
