"""What Optuna 5.0.0 computes inside of its TPE sampler on fixed trials: which of them are good, weights, widths and log
densities of both mixtures; and the normal distribution below them from SciPy and mpmath.

  pip install optuna==5.0.0 scipy mpmath
  python scripts/golden_tpe.py            # writes crates/hpo/tests/golden/tpe.json
  python scripts/golden_tpe.py --check    # exit 1 where it differs from what would be written
"""

import json
import math
import sys
from pathlib import Path

import mpmath
import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import TPESampler
from optuna.samplers._tpe import parzen_estimator
from optuna.samplers._tpe import sampler as tpe
from optuna.samplers._tpe.probability_distributions import _BatchedCategoricalDistributions
from optuna.trial import TrialState, create_trial
from scipy import stats

optuna.logging.set_verbosity(optuna.logging.ERROR)

FILE = Path(__file__).resolve().parent.parent / "crates" / "hpo" / "tests" / "golden" / "tpe.json"

SPACES = {
    "floats": {"x": FloatDistribution(-5.0, 10.0), "rate": FloatDistribution(1e-5, 1e-1, log=True)},
    "grids": {
        "step": FloatDistribution(0.0, 1.0, step=0.1),
        "n": IntDistribution(1, 9),
        "even": IntDistribution(2, 20, step=2),
        "units": IntDistribution(8, 1024, log=True),
    },
    "mixed": {
        "kind": CategoricalDistribution(["a", "b", "c"]),
        "flag": CategoricalDistribution([True, False]),
        "n": IntDistribution(1, 100, log=True),
        "x": FloatDistribution(0.0, 1.0),
    },
    "wide": {"n": IntDistribution(0, 100_000), "x": FloatDistribution(-1e6, 1e6)},
}


class StableNumpy:
    """NumPy whose argsort keeps equal values in their order. Optuna leaves open which of two equal centres is the left one."""

    def __getattr__(self, name):
        return getattr(np, name)

    def argsort(self, values):
        return np.argsort(values, kind="stable")


parzen_estimator.np = StableNumpy()


def value_of(distribution, rng):
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[rng.integers(len(distribution.choices))]
    low, high = distribution.low, distribution.high
    value = math.exp(rng.uniform(math.log(low), math.log(high))) if distribution.log else rng.uniform(low, high)
    if isinstance(distribution, IntDistribution):
        return int(low + round((value - low) / distribution.step) * distribution.step)
    if distribution.step is not None:
        return low + round((value - low) / distribution.step) * distribution.step
    return value


def trials_of(space, count, rng, kinds, directions):
    study = optuna.create_study(directions=directions)
    rows = []
    for _ in range(count):
        params = {name: value_of(distribution, rng) for name, distribution in space.items()}
        kind = kinds[rng.integers(len(kinds))]
        values = [round(float(rng.normal()), 1 if len(directions) == 1 else 3) for _ in directions]
        reports, state, constraints = {}, TrialState.COMPLETE, None
        if kind == "pruned":
            state = TrialState.PRUNED
            reports = {int(s): float(rng.normal()) for s in range(rng.integers(0, 4))}
            if reports and rng.random() < 0.2:
                reports[max(reports)] = math.nan
        elif kind == "failed":
            state = TrialState.FAIL
        elif kind == "running":
            state = TrialState.RUNNING
        elif kind == "infeasible":
            constraints = [float(rng.normal()), float(rng.normal())]
        elif kind == "infinite":
            values = [math.inf if rng.random() < 0.5 else -math.inf for _ in directions]
        attributes = {} if constraints is None else {f"constraints:c{i}": c for i, c in enumerate(constraints)}
        complete = state == TrialState.COMPLETE
        study.add_trial(
            create_trial(
                state=state,
                params=params,
                distributions=space,
                values=values if complete else None,
                intermediate_values=reports,
                system_attrs=attributes,
            )
        )
        rows.append(
            {
                "state": state.name.lower(),
                "params": [space[name].to_internal_repr(value) for name, value in params.items()],
                "values": [repr(v) for v in values] if complete else None,
                "reports": [[s, repr(v)] for s, v in reports.items()],
                "constraints": constraints,
            }
        )
    return study, rows


def distribution_of(distribution):
    if isinstance(distribution, CategoricalDistribution):
        return {"kind": "categorical", "choices": list(distribution.choices)}
    kind = "float" if isinstance(distribution, FloatDistribution) else "int"
    return {"kind": kind, "low": distribution.low, "high": distribution.high, "log": distribution.log, "step": distribution.step}


def mixture_of(estimator, points):
    mixture = estimator._mixture_distribution
    widths = [
        [] if isinstance(d, _BatchedCategoricalDistributions) else d.sigma[:-1].tolist() for d in mixture.distributions
    ]
    return {"weights": mixture.weights.tolist(), "widths": widths, "log_densities": estimator.log_pdf(points).tolist()}


def case(name, space, count, seed, kinds=("complete",), directions=("minimize",)):
    rng = np.random.default_rng(seed)
    study, rows = trials_of(space, count, rng, kinds, list(directions))
    sampler = TPESampler(seed=0)
    states = [TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING]
    trials = study._get_trials(deepcopy=False, states=states, use_cache=False)
    finished = sum(t.state != TrialState.RUNNING for t in trials)
    gamma = tpe.default_gamma if len(directions) == 1 else tpe.default_gamma_multiobjective
    below, above = tpe._split_trials(study, trials, gamma(finished))
    points = {n: np.array([d.to_internal_repr(value_of(d, rng)) for _ in range(8)], dtype=float) for n, d in space.items()}
    below_mixture = sampler._build_parzen_estimator(study, space, below, handle_below=True)
    above_mixture = sampler._build_parzen_estimator(study, space, above, handle_below=False)
    return {
        "name": name,
        "directions": list(directions),
        "space": {n: distribution_of(d) for n, d in space.items()},
        "trials": rows,
        "good": [t.number for t in below],
        "points": [[float(points[n][i]) for n in space] for i in range(8)],
        "below": mixture_of(below_mixture, points),
        "above": mixture_of(above_mixture, points),
    }


def normal():
    pairs = [(-8.0, -7.5), (-40.0, -38.0), (-3.0, 2.0), (0.5, 0.6), (5.0, 9.0), (-0.01, 0.02), (30.0, 31.0), (-6.0, 8.0), (0.1, 0.1001)]
    return {
        "ln_cdf": [[x, float(stats.norm.logcdf(x))] for x in (-60.0, -30.5, -29.5, -8.0, -1.0, 0.0, 0.5, 1.5, 6.0, 9.0)],
        "quantile": [
            [q, a, b, float(stats.truncnorm.ppf(q, a, b))]
            for a, b in pairs
            for q in (1e-9, 0.01, 0.3, 0.5, 0.99)
            if (a, b) != (-40.0, -38.0)  # SciPy gives up there
        ],
        "ln_mass": [[a, b, ln_mass(a, b)] for a, b in pairs],
    }


def ln_mass(a, b):
    """With 60 digits, since every formula in floats loses some of them somewhere."""
    mpmath.mp.dps = 60
    if b < 0:
        a, b = -b, -a
    half = mpmath.mpf(1) / 2
    upper = lambda x: half * mpmath.erfc(mpmath.mpf(x) / mpmath.sqrt(2))
    return float(mpmath.log(upper(a) - upper(b)))


def main():
    everything = ("complete", "complete", "complete", "pruned", "infeasible", "failed", "running", "infinite")
    two = ("minimize", "maximize")
    cases = []
    for seed, (name, space) in enumerate(SPACES.items()):
        cases += [case(f"{name}-{count}", space, count, seed) for count in (0, 1, 2, 14)]
    cases += [
        case("floats-300", SPACES["floats"], 300, 11),
        case("grids-200", SPACES["grids"], 200, 19),
        case("floats-maximize", SPACES["floats"], 40, 12, everything, ("maximize",)),
        case("floats-everything", SPACES["floats"], 120, 13, everything),
        case("mixed-everything", SPACES["mixed"], 90, 14, everything),
        case("pruned-only", SPACES["floats"], 30, 15, ("pruned",)),
        case("infeasible-only", SPACES["floats"], 30, 16, ("infeasible",)),
        case("two-objectives", SPACES["floats"], 60, 17, ("complete", "complete", "infeasible"), two),
        case("three-objectives", SPACES["floats"], 80, 18, ("complete",), ("minimize", "minimize", "maximize")),
    ]
    text = json.dumps({"optuna": optuna.__version__, "normal": normal(), "cases": cases}, separators=(",", ":")) + "\n"
    if "--check" in sys.argv:
        sys.exit(FILE.read_text() != text)
    FILE.write_text(text)


if __name__ == "__main__":
    main()
