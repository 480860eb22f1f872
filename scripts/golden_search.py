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


class Draws:
    """SplitMix64 (Steele, Lea, Flood 2014). The Rust test draws the same, so curves need no file, only verdicts."""

    def __init__(self, seed):
        self.state = seed

    def bits(self):
        mask = (1 << 64) - 1
        self.state = (self.state + 0x9E3779B97F4A7C15) & mask
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        return z ^ (z >> 31)

    def below(self, count):
        return self.bits() % count


TRIALS_OF_A_STUDY = 25
STUDIES = 40


def verdicts(pruner, index):
    """One study of 25 trials, up to four at a time, as a string of one bit per report.

    Values lie on a coarse grid, so ties are common; reports leave gaps between steps; in half of the trials some are NaN or infinite;
    some trials fail, some violate a constraint, and one in four goes on after it was given up.
    """
    draws = Draws(index)
    direction = ("minimize", "maximize")[draws.below(2)]
    at_once = 1 + draws.below(4)
    study = optuna.create_study(study_name=f"größe-{index}", direction=direction, pruner=pruner)
    active, begun, bits = [], 0, []
    while begun < TRIALS_OF_A_STUDY or active:
        if begun < TRIALS_OF_A_STUDY and len(active) < at_once:
            level, reports, step, torn = draws.below(24), 1 + draws.below(12), draws.below(2), draws.below(2)
            if draws.below(6) == 0:
                reports += 10
            active.append([study.ask(), level, reports, step, torn])
            begun += 1
            continue
        slot = draws.below(len(active))
        trial, level, reports, step, torn = active[slot]
        kind, value = draws.below(40), (level + draws.below(16) - min(step, 12)) / 8
        value = {0: math.nan, 1: math.nan, 2: math.inf, 3: -math.inf}.get(kind, value) if torn else value
        trial.report(value, step)
        given_up = trial.should_prune()
        bits.append("1" if given_up else "0")
        active[slot][2] -= 1
        active[slot][3] += 1 + (draws.below(4) if draws.below(4) == 0 else 0)
        if given_up and draws.below(4) != 0:
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
            del active[slot]
        elif active[slot][2] == 0:
            if draws.below(8) == 0:
                trial.set_constraint("c", 1.0)
            if draws.below(12) == 0:
                study.tell(trial, state=optuna.trial.TrialState.FAIL)
            else:
                study.tell(trial, (level * 1000 + trial.number) / 8)
            del active[slot]
    return "".join(bits)


def pruners(_):
    """Verdicts of every pruner on 1,000 curves each."""
    P = optuna.pruners
    members = [
        ({"kind": "median"}, lambda: P.MedianPruner()),
        (
            {"kind": "median", "startup_trials": 2, "warmup_steps": 2, "interval": 3, "min_trials": 2},
            lambda: P.MedianPruner(2, 2, 3, n_min_trials=2),
        ),
        (
            {"kind": "percentile", "percentile": 25.0, "startup_trials": 3},
            lambda: P.PercentilePruner(25.0, n_startup_trials=3),
        ),
        (
            {"kind": "percentile", "percentile": 80.0, "startup_trials": 1},
            lambda: P.PercentilePruner(80.0, n_startup_trials=1),
        ),
        ({"kind": "successive_halving"}, lambda: P.SuccessiveHalvingPruner()),
        (
            {"kind": "successive_halving", "min_resource": 1, "reduction_factor": 2, "skipped_rungs": 1},
            lambda: P.SuccessiveHalvingPruner(1, 2, 1),
        ),
        (
            {"kind": "successive_halving", "min_resource": 2, "reduction_factor": 3, "bootstrap_trials": 3},
            lambda: P.SuccessiveHalvingPruner(2, 3, 0, 3),
        ),
        ({"kind": "hyperband"}, lambda: P.HyperbandPruner()),
        (
            {"kind": "hyperband", "min_resource": 1, "max_resource": 27, "reduction_factor": 3},
            lambda: P.HyperbandPruner(1, 27, 3),
        ),
        (
            {"kind": "hyperband", "min_resource": 2, "max_resource": 16, "reduction_factor": 2, "bootstrap_trials": 2},
            lambda: P.HyperbandPruner(2, 16, 2, 2),
        ),
        ({"kind": "wilcoxon"}, lambda: P.WilcoxonPruner()),
        (
            {"kind": "wilcoxon", "p_threshold": 0.3, "startup_steps": 4},
            lambda: P.WilcoxonPruner(p_threshold=0.3, n_startup_steps=4),
        ),
        (
            {"kind": "patient", "wrapped": {"kind": "median", "startup_trials": 2}, "patience": 1, "min_delta": 0.25},
            lambda: P.PatientPruner(P.MedianPruner(2), 1, 0.25),
        ),
        ({"kind": "patient", "patience": 3}, lambda: P.PatientPruner(None, 3)),
        (
            {"kind": "threshold", "lower": -0.5, "upper": 3.5, "warmup_steps": 1, "interval": 2},
            lambda: P.ThresholdPruner(-0.5, 3.5, 1, 2),
        ),
        ({"kind": "nop"}, lambda: P.NopPruner()),
    ]
    table = []
    for spec, make in members:
        studies = [verdicts(make(), index) for index in range(STUDIES)]
        # Four verdicts a digit; the length tells how many of the last digit count.
        packed = [f"{len(bits)}:" + "".join(f"{int(bits[i:i + 4].ljust(4, '0'), 2):x}" for i in range(0, len(bits), 4)) for bits in studies]
        print(spec, sum(b.count("1") for b in studies), "of", sum(map(len, studies)))
        table.append({"spec": spec, "studies": packed})
    return table


def signed_rank(rng):
    """Tail probabilities of Wilcoxon's signed-rank test, split zeros: counted out, with ties, and normal."""
    from scipy import stats

    cases = []
    for count in (2, 3, 7, 13, 14, 30, 50, 51, 80):
        for digits in (0, 1, 9):
            differences = np.round(rng.standard_normal(count) + 0.2, digits)
            p = stats.wilcoxon(differences, alternative="greater", zero_method="zsplit").pvalue
            cases.append({"differences": differences.tolist(), "p": float(p)})
    return cases


def cma(rng):
    """What `cmaes` learns from given generations, best point first."""
    from cmaes import CMA

    cases = []
    for dimensions, generations in ((1, 3), (2, 6), (5, 8), (11, 5)):
        strategy = CMA(mean=np.full(dimensions, 0.5), sigma=1 / 6)
        told = []
        for _ in range(generations):
            # Drawn from one side, so that the paths grow and the step size adapts.
            points = np.round(strategy.mean + 0.2 * rng.standard_normal((strategy.population_size, dimensions)) + 0.05, 6)
            told.append(points.tolist())
            strategy.tell([(point, float(place)) for place, point in enumerate(points)])
        strategy._eigen_decomposition()
        cases.append(
            {
                "generations": told,
                "mean": strategy.mean.tolist(),
                "sigma": float(strategy._sigma),
                "covariance": strategy._C.reshape(-1).tolist(),
            }
        )
    return cases


def test_functions():
    """The ten functions that samplers are compared on: name -> (bounds, function of the values, exact minimum). `mixed` is
    shaped like tuning a small network. "shifted" moves the optimum away from the centre of the box, where strategies begin."""
    shift = (0.37, -0.52, 0.23, -0.68, 0.59, -0.31, 0.44, -0.16)
    peaks = np.array(
        [[1312, 1696, 5569, 124, 8283, 5886], [2329, 4135, 8307, 3736, 1004, 9991], [2348, 1451, 3522, 2883, 3047, 6650], [4047, 8828, 8732, 5743, 1091, 381]]
    )
    widths = np.array([[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]])

    def branin(x):
        bent = x[1] - 5.1 / (4 * np.pi**2) * x[0] ** 2 + 5 / np.pi * x[0] - 6
        return bent**2 + 10 * (1 - 1 / (8 * np.pi)) * np.cos(x[0]) + 10

    def hartmann(x):
        return -float(np.array([1.0, 1.2, 3.0, 3.2]) @ np.exp(-(widths * (x - 1e-4 * peaks) ** 2).sum(1)))

    def rosenbrock(x):
        return float((100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum())

    def ackley(x):
        return -20 * np.exp(-0.2 * np.sqrt((x**2).mean())) - np.exp(np.cos(2 * np.pi * x).mean()) + 20 + np.e

    def rastrigin(x):
        return float((x**2 - 10 * np.cos(2 * np.pi * x) + 10).sum())

    def levy(x):
        w = 1 + (x - 1) / 4
        middle = ((w[:-1] - 1) ** 2 * (1 + 10 * np.sin(np.pi * w[:-1] + 1) ** 2)).sum()
        return float(np.sin(np.pi * w[0]) ** 2 + middle + (w[-1] - 1) ** 2 * (1 + np.sin(2 * np.pi * w[-1]) ** 2))

    def moved(function, half):
        return lambda x: function(x - np.array([shift[i % 8] for i in range(len(x))]) * half)

    return {
        "branin": ([(-5, 10), (0, 15)], branin, 0.39788735772973816),
        "hartmann6": ([(0, 1)] * 6, hartmann, -3.32236801141551),
        "rosenbrock5": ([(-5, 10)] * 5, rosenbrock, 0.0),
        "ackley5": ([(-32.768, 32.768)] * 5, ackley, 0.0),
        "ackley5_shifted": ([(-32.768, 32.768)] * 5, moved(ackley, 32.768), 0.0),
        "rastrigin5": ([(-5.12, 5.12)] * 5, rastrigin, 0.0),
        "rastrigin5_shifted": ([(-5.12, 5.12)] * 5, moved(rastrigin, 5.12), 0.0),
        "levy8": ([(-10, 10)] * 8, levy, 0.0),
        "levy8_shifted": ([(-10, 10)] * 8, moved(levy, 10), 0.0),
    }


def mixed(trial):
    optimizer = trial.suggest_categorical("opt", ["sgd", "adam", "rmsprop", "lion"])
    activation = trial.suggest_categorical("act", ["relu", "tanh", "gelu"])
    units = trial.suggest_int("units", 8, 1024, log=True)
    batch = trial.suggest_int("batch", 4, 512, log=True)
    rate = trial.suggest_float("lr", 1e-5, 1e-1, log=True)
    dropout = trial.suggest_float("dropout", 0.0, 0.7)
    momentum = trial.suggest_float("momentum", 0.5, 0.999)
    cost, best_rate = {"sgd": (0.25, -1.5), "adam": (0.0, -3.0), "rmsprop": (0.1, -3.5), "lion": (0.15, -4.0)}[optimizer]
    more, best_dropout = {"relu": (0.1, 0.2), "tanh": (0.3, 0.1), "gelu": (0.0, 0.3)}[activation]
    e, d = math.log10(rate) - best_rate, dropout - best_dropout
    sizes = 0.08 * (math.log2(units) - 8) ** 2 + 0.05 * (math.log2(batch) - 5 - 0.5 * e) ** 2
    return cost + more + 0.5 * e * e + sizes + 4 * d * d + 0.15 * (1 - math.cos(3 * math.pi * d)) + 6 * (momentum - 0.9) ** 2


def cma_quality(_):
    """Best value less the minimum after 200 trials of Optuna's CMA-ES, 40 seeds, sorted."""
    table = {}
    functions = {
        name: (lambda trial, bounds=bounds, f=f: f(np.array([trial.suggest_float(f"x{i}", *b) for i, b in enumerate(bounds)])), least)
        for name, (bounds, f, least) in test_functions().items()
    }
    functions["mixed"] = (mixed, 0.0)
    for name, (objective, least) in functions.items():
        gaps = []
        for seed in range(40):
            study = optuna.create_study(sampler=optuna.samplers.CmaEsSampler(seed=seed))
            study.optimize(objective, n_trials=200)
            gaps.append(float(f"{study.best_value - least:.5g}"))
        table[name] = sorted(gaps)
        print(name, np.quantile(gaps, [0.25, 0.5, 0.75]), flush=True)
    return table


def sobol(_):
    """Points of SciPy's sequence in all dimensions that the crate knows, and how even its scrambled points are."""
    from scipy.stats import qmc

    numbers = [0, 1, 2, 5, 1000, 65537]
    engine, points, at = qmc.Sobol(256, scramble=False, bits=30), [], 0
    for number in numbers:
        if number > at:
            engine.fast_forward(number - at)
        points.append((engine.random(1)[0] * 2**30).astype(int).tolist())
        at = number + 1
    discrepancies = []
    for dimensions, count in ((2, 64), (5, 128), (10, 256)):
        values = [qmc.discrepancy(qmc.Sobol(dimensions, seed=seed).random(count), method="CD") for seed in range(40)]
        discrepancies.append([dimensions, count, float(np.mean(values))])
    return {"numbers": numbers, "points": points, "discrepancies": discrepancies}


def zdt(trial, concave):
    """Zitzler, Deb and Thiele (2000), the first two functions, in ten dimensions."""
    x = [trial.suggest_float(f"x{i}", 0, 1) for i in range(10)]
    g = 1 + sum(x[1:])
    return x[0], g * (1 - ((x[0] / g) ** 2 if concave else math.sqrt(x[0] / g)))


def nsga2(rng):
    """Hypervolumes of Optuna's fronts, and crowding distances."""
    from optuna._hypervolume.wfg import compute_hypervolume
    from optuna.samplers.nsgaii._elite_population_selection_strategy import _calc_crowding_distance

    volumes = {}
    for name in ("zdt1", "zdt2"):
        volumes[name] = []
        for seed in range(20):
            study = optuna.create_study(directions=["minimize"] * 2, sampler=optuna.samplers.NSGAIISampler(seed=seed))
            study.optimize(lambda trial: zdt(trial, name == "zdt2"), n_trials=500)
            front = np.array([trial.values for trial in study.best_trials])
            volumes[name].append(float(f"{compute_hypervolume(front, np.array([1.1, 7.0])):.6g}"))
        volumes[name].sort()
        print(name, np.quantile(volumes[name], [0.25, 0.5, 0.75]), flush=True)
    crowding = []
    for rows, objectives, digits in ((1, 2, 3), (2, 2, 3), (6, 2, 3), (9, 3, 3), (12, 2, 0)):
        points = np.round(rng.random((rows, objectives)), digits)
        trials = [
            optuna.trial.FrozenTrial(i, optuna.trial.TrialState.COMPLETE, None, None, None, {}, {}, {}, {}, {}, i, values=point)
            for i, point in enumerate(points.tolist())
        ]
        distances = _calc_crowding_distance(list(trials))
        crowding.append([points.tolist(), [min(distances[i], 1e301) for i in range(rows)]])
    return {"hypervolumes": volumes, "crowding": crowding}


def importance(rng):
    """Importances in a study of one objective and in one of two, and the marginal variances of one tree."""
    from optuna.importance import FanovaImportanceEvaluator, PedAnovaImportanceEvaluator, get_param_importances
    from optuna.importance._fanova._tree import _FanovaTree
    from sklearn.tree import DecisionTreeRegressor

    D = optuna.distributions
    distributions = {
        "x": D.FloatDistribution(-5, 5),
        "rate": D.FloatDistribution(1e-4, 1, log=True),
        "n": D.IntDistribution(1, 8),
        "s": D.FloatDistribution(0, 3, step=0.5),
        "k": D.CategoricalDistribution(["a", "b", "c"]),
        "m": D.IntDistribution(1, 64, log=True),
    }
    one, two, rows = optuna.create_study(), optuna.create_study(directions=["minimize", "maximize"]), []
    for _ in range(150):
        params = {
            "x": round(float(rng.uniform(-5, 5)), 3),
            "rate": round(float(np.exp(rng.uniform(np.log(1.1e-4), 0))), 6),
            "n": int(rng.integers(1, 9)),
            "s": float(rng.integers(0, 7)) / 2,
            "k": str(rng.choice(["a", "b", "c"])),
        }
        if params["k"] == "a":
            params["m"] = int(np.exp(rng.uniform(0, np.log(64))))
        first = params["x"] ** 2 / 5 + 2 * abs(math.log10(params["rate"]) + 2) + params["n"] / 2 + {"a": 0, "b": 4, "c": 5}[params["k"]] + math.log2(params.get("m", 1))
        second = params["s"] - params["x"] / 4 + float(rng.standard_normal()) / 2
        values = [round(first, 4), round(second, 4)]
        own = {name: distributions[name] for name in params}
        one.add_trial(optuna.trial.create_trial(params=params, distributions=own, value=values[0]))
        two.add_trial(optuna.trial.create_trial(params=params, distributions=own, values=values))
        rows.append([[own[name].to_internal_repr(params[name]) for name in params], values])
    fanova = [get_param_importances(one, evaluator=FanovaImportanceEvaluator(seed=seed)) for seed in range(8)]

    X = np.column_stack([rng.uniform(-5, 5, 60), rng.uniform(0, 1, 60), np.eye(3)[rng.integers(0, 3, 60)]])
    y = X[:, 0] ** 2 + 5 * X[:, 1] * X[:, 2] + rng.standard_normal(60)
    tree = DecisionTreeRegressor(random_state=0).fit(X, y).tree_
    bounds = np.array([[-5, 5], [0, 1], [0, 1], [0, 1], [0, 1]], float)
    theirs = _FanovaTree(tree, bounds)
    return {
        "trials": rows,
        "ped_anova": get_param_importances(one),
        "ped_anova_quarter": get_param_importances(one, evaluator=PedAnovaImportanceEvaluator(target_quantile=0.25)),
        "ped_anova_front": get_param_importances(two),
        "ped_anova_second": get_param_importances(two, target=lambda trial: -trial.values[1]),
        "fanova": {name: float(np.mean([one_seed[name] for one_seed in fanova])) for name in fanova[0]},
        "tree": {
            "nodes": [
                [int(f), float(t), int(l), int(r), float(v)]
                for f, t, l, r, v in zip(tree.feature, tree.threshold, tree.children_left, tree.children_right, tree.value.ravel())
            ],
            "bounds": bounds.tolist(),
            "variance": float(theirs.variance),
            "marginals": [float(theirs.get_marginal_variance(np.array(columns))) for columns in ([0], [1], [2, 3, 4])],
        },
    }


PARTS = {"importance": importance, "nsga2": nsga2, "sobol": sobol, "cma_quality": cma_quality, "cma": cma, "pareto": pareto, "pruners": pruners, "signed_rank": signed_rank}


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
