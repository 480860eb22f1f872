"""Golden values for the samplers, pruners, Pareto front and importance of `crates/hpo`: what Optuna 5.0, SciPy and
scikit-learn answer to the same questions.

  pip install optuna==5.0.0 cmaes==0.13.1 scipy scikit-learn numpy
  python scripts/golden_search.py                 # writes crates/hpo/tests/golden/*.json
  python scripts/golden_search.py --check         # exit 1 where a file differs from what would be written
  python scripts/golden_search.py pareto pruners  # these alone
"""
import json
import math
import sys
import warnings
from pathlib import Path

import numpy as np
import optuna

warnings.filterwarnings("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)
FOLDER = Path(__file__).resolve().parent.parent / "crates" / "hpo" / "tests" / "golden"


def pareto(rng):
    """Ranks, hypervolumes and greedy subsets of point sets with ties and twins."""
    from optuna._hypervolume.hssp import _solve_hssp
    from optuna._hypervolume.wfg import compute_hypervolume
    from optuna.study._multi_objective import _fast_non_domination_rank

    cases = []
    for objectives in (1, 2, 2, 3, 3, 4, 5):
        for rows in (1, 7, 30):
            points = rng.random((rows, objectives))
            if rows == 30:
                points = np.round(points, 1)
            violations = np.where(rng.random(rows) < 0.4, np.round(rng.random(rows), 1), 0.0)
            ranks = _fast_non_domination_rank(points)
            front = points[ranks == 0]
            reference = np.full(objectives, 1.1)
            size = max(1, len(front) // 2)
            subset = _solve_hssp(front, np.arange(len(front)), size, reference)
            cases.append(
                {
                    "points": points.tolist(),
                    "violations": violations.tolist(),
                    "ranks": ranks.tolist(),
                    "ranks_under_constraints": _fast_non_domination_rank(points, penalty=violations).tolist(),
                    "reference": reference.tolist(),
                    "hypervolume": compute_hypervolume(points, reference),
                    "front": front.tolist(),
                    "subset": sorted(map(list, front[subset].tolist())),
                }
            )
    return cases


PARTS = {"pareto": pareto}


def main():
    names = [word for word in sys.argv[1:] if not word.startswith("--")] or list(PARTS)
    differing = []
    for name in names:
        text = json.dumps(PARTS[name](np.random.default_rng(20261126)), separators=(",", ":")) + "\n"
        path = FOLDER / f"{name}.json"
        if "--check" in sys.argv:
            if not path.exists() or path.read_text() != text:
                differing.append(str(path))
        else:
            FOLDER.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            print(path.name, len(text), "bytes")
    if differing:
        sys.exit("differs from what would be written: " + ", ".join(differing))


if __name__ == "__main__":
    main()
