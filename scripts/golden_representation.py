"""Golden values for `crates/evaluation/src/representation`, from numpy, scipy and statsmodels' formula of false discoveries
(scipy.stats.false_discovery_control), in another shape than the crate's: matrices where it runs sums.

  pip install numpy scipy
  python scripts/golden_representation.py            # writes crates/evaluation/tests/golden/representation.json
  python scripts/golden_representation.py --check    # exit 1 where it differs from what would be written
"""
import json
import sys
from pathlib import Path

import numpy as np
from scipy import stats

FILE = Path(__file__).resolve().parent.parent / "crates/evaluation/tests/golden/representation.json"


def cka(x, y):
    x, y = x - x.mean(0), y - y.mean(0)
    k, l = x @ x.T, y @ y.T  # by kernels: the crate goes by features
    return np.trace(k @ l) / np.sqrt(np.trace(k @ k) * np.trace(l @ l))


def golden():
    rng = np.random.default_rng(11)
    rows, dim = 90, 7
    latent = rng.standard_normal((rows, 3))
    x = latent @ rng.standard_normal((3, dim)) + 0.3 * rng.standard_normal((rows, dim))
    x[:, 5] = np.maximum(np.round(x[:, 5], 1), 0)  # ties
    x[:, 6] = 0.25  # a dead unit
    y = latent @ rng.standard_normal((3, 4)) + 0.5 * rng.standard_normal((rows, 4))
    later = 1.2 * x[:60] + 0.3
    x, y, later = (matrix.astype(np.float32).astype(float) for matrix in (x, y, later))
    series = np.arange(rows) % 3
    outcome = latent[:, 0] + rng.standard_normal(rows) + 2.0 * series
    live = x[:, :6]
    correlation = np.abs(np.corrcoef(live.T))
    rank_ic = [
        np.mean([stats.spearmanr(x[series == s, d], outcome[series == s]).statistic for s in range(3)])
        for d in range(6)
    ]
    p = 2 * stats.norm.sf(np.abs(rank_ic) * np.sqrt(rows / 2))
    return {
        "dim": dim,
        "features": x.ravel().tolist(),
        "other_dim": 4,
        "other": y.ravel().tolist(),
        "later": later.ravel().tolist(),
        "series": series.tolist(),
        "outcome": outcome.tolist(),
        "independent": rows / 2,
        "redundancy": correlation[np.triu_indices(6, 1)].mean(),
        "cka": cka(x, y),
        "drift": [stats.ks_2samp(x[:, d], later[:, d], method="asymp").statistic for d in range(dim)],
        "rank_ic": rank_ic,
        "p": p.tolist(),
        "discoveries": int((stats.false_discovery_control(p, method="bh") <= 0.05).sum()),
    }


if __name__ == "__main__":
    text = json.dumps(golden()) + "\n"
    if "--check" in sys.argv:
        sys.exit(FILE.read_text() != text)
    FILE.write_text(text)
