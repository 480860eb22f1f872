#!/usr/bin/env python3
"""Reference numbers of Optuna's samplers on small closed-form functions.

Run:  python bench_optuna.py quality  [--samplers a,b] [--functions f,g] [--seeds 20] [--trials 200] [--out FILE]
      python bench_optuna.py overhead [--samplers a,b] [--storages memory,sqlite] [--sizes 1000,5000] [--out FILE]
Needs: optuna, cmaes, scipy (torch as well for "gp").

Quality protocol (what a second implementation must repeat)
  * minimise; one process, strictly sequential ask -> evaluate -> tell; in-memory storage; no pruner.
  * seeds 0..19, given to the sampler only (the functions are deterministic).
  * budget 200 trials; best-so-far is recorded after 10, 25, 50, 100, 150 and 200 trials.
  * parameters are suggested in the order listed, every one of them in every trial.
  * reported: median, 25 % and 75 % quantile (linear interpolation) over seeds of (best value - f_min).

Functions: see the docstring of each; `f_min` is the exact minimum (subtracted before reporting).
Optima that sit in the middle of the box flatter a sampler whose prior or start is the middle of the box
(TPE's prior, CMA-ES's mean), so Ackley, Rastrigin and Levy exist in a plain and in a shifted form:
the shifted form evaluates the plain function at x - SHIFT with the same bounds for x.
"""
import argparse, json, math, os, platform, statistics, sys, time, warnings

warnings.filterwarnings("ignore")
import numpy as np
import optuna

optuna.logging.set_verbosity(optuna.logging.ERROR)

CHECK = (10, 25, 50, 100, 150, 200)
# shift as a fraction of the half width, recycled over coordinates
SHIFT_FRAC = (0.37, -0.52, 0.23, -0.68, 0.59, -0.31, 0.44, -0.16)


def branin(x):
    """x0 in [-5,10], x1 in [0,15]; min 0.39788735772973816 (three optima, one at (pi, 2.275))."""
    a, b, c, r, s, t = 1.0, 5.1 / (4 * math.pi**2), 5 / math.pi, 6.0, 10.0, 1 / (8 * math.pi)
    return a * (x[1] - b * x[0] ** 2 + c * x[0] - r) ** 2 + s * (1 - t) * math.cos(x[0]) + s


H6_A = [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
H6_P = [
    [1312, 1696, 5569, 124, 8283, 5886],
    [2329, 4135, 8307, 3736, 1004, 9991],
    [2348, 1451, 3522, 2883, 3047, 6650],
    [4047, 8828, 8732, 5743, 1091, 381],
]
H6_ALPHA = [1.0, 1.2, 3.0, 3.2]


def hartmann6(x):
    """x in [0,1]^6; min -3.32236801141551 at (0.20169,0.150011,0.476874,0.275332,0.311652,0.6573)."""
    return -sum(
        H6_ALPHA[i] * math.exp(-sum(H6_A[i][j] * (x[j] - 1e-4 * H6_P[i][j]) ** 2 for j in range(6))) for i in range(4)
    )


def rosenbrock(x):
    """x in [-5,10]^5; min 0 at (1,...,1)."""
    return sum(100 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2 for i in range(len(x) - 1))


def ackley(x):
    """x in [-32.768,32.768]^5; min 0 at 0 (a=20, b=0.2, c=2*pi)."""
    d = len(x)
    return (
        -20 * math.exp(-0.2 * math.sqrt(sum(v * v for v in x) / d))
        - math.exp(sum(math.cos(2 * math.pi * v) for v in x) / d)
        + 20
        + math.e
    )


def rastrigin(x):
    """x in [-5.12,5.12]^5; min 0 at 0."""
    return 10 * len(x) + sum(v * v - 10 * math.cos(2 * math.pi * v) for v in x)


def levy(x):
    """x in [-10,10]^8; min 0 at (1,...,1)."""
    w = [1 + (v - 1) / 4 for v in x]
    return (
        math.sin(math.pi * w[0]) ** 2
        + sum((v - 1) ** 2 * (1 + 10 * math.sin(math.pi * v + 1) ** 2) for v in w[:-1])
        + (w[-1] - 1) ** 2 * (1 + math.sin(2 * math.pi * w[-1]) ** 2)
    )


def mixed(t):
    """Shaped like tuning a small network. Suggested in this order:
      opt      categorical sgd, adam, rmsprop, lion
      act      categorical relu, tanh, gelu
      units    int 8..1024, log
      batch    int 4..512, log
      lr       float 1e-5..1e-1, log
      dropout  float 0..0.7
      momentum float 0.5..0.999
    min 0 at adam, gelu, 256, 32, 1e-3, 0.3, 0.9.
    """
    opt = t.suggest_categorical("opt", ["sgd", "adam", "rmsprop", "lion"])
    act = t.suggest_categorical("act", ["relu", "tanh", "gelu"])
    units = t.suggest_int("units", 8, 1024, log=True)
    batch = t.suggest_int("batch", 4, 512, log=True)
    lr = t.suggest_float("lr", 1e-5, 1e-1, log=True)
    dropout = t.suggest_float("dropout", 0.0, 0.7)
    momentum = t.suggest_float("momentum", 0.5, 0.999)
    off = {"sgd": 0.25, "adam": 0.0, "rmsprop": 0.1, "lion": 0.15}[opt]
    mu = {"sgd": -1.5, "adam": -3.0, "rmsprop": -3.5, "lion": -4.0}[opt]
    aoff = {"relu": 0.1, "tanh": 0.3, "gelu": 0.0}[act]
    dopt = {"relu": 0.2, "tanh": 0.1, "gelu": 0.3}[act]
    e = math.log10(lr) - mu
    d = dropout - dopt
    return (
        off
        + aoff
        + 0.5 * e * e
        + 0.08 * (math.log2(units) - 8) ** 2
        + 0.05 * (math.log2(batch) - 5 - 0.5 * e) ** 2
        + 4 * d * d
        + 0.15 * (1 - math.cos(3 * math.pi * d))
        + 6 * (momentum - 0.9) ** 2
    )


def boxed(f, dim, bounds, shifted=False):
    def objective(t):
        x = []
        for i in range(dim):
            lo, hi = bounds[i] if isinstance(bounds[0], (list, tuple)) else bounds
            v = t.suggest_float(f"x{i}", lo, hi)
            if shifted:
                v -= SHIFT_FRAC[i % len(SHIFT_FRAC)] * (hi - lo) / 2
            x.append(v)
        return f(x)

    return objective


FUNCTIONS = {  # name: (objective of a trial, exact minimum, text)
    "branin": (boxed(branin, 2, [(-5, 10), (0, 15)]), 0.39788735772973816, "2 floats"),
    "hartmann6": (boxed(hartmann6, 6, (0.0, 1.0)), -3.32236801141551, "6 floats"),
    "rosenbrock5": (boxed(rosenbrock, 5, (-5.0, 10.0)), 0.0, "5 floats"),
    "ackley5": (boxed(ackley, 5, (-32.768, 32.768)), 0.0, "5 floats, optimum at the centre"),
    "ackley5_shifted": (boxed(ackley, 5, (-32.768, 32.768), True), 0.0, "5 floats"),
    "rastrigin5": (boxed(rastrigin, 5, (-5.12, 5.12)), 0.0, "5 floats, optimum at the centre"),
    "rastrigin5_shifted": (boxed(rastrigin, 5, (-5.12, 5.12), True), 0.0, "5 floats"),
    "levy8": (boxed(levy, 8, (-10.0, 10.0)), 0.0, "8 floats, optimum near the centre"),
    # plain Levy has its optimum at 1; after the shift it is at 1 + SHIFT, still inside the box
    "levy8_shifted": (boxed(levy, 8, (-10.0, 10.0), True), 0.0, "8 floats"),
    "mixed": (mixed, 0.0, "2 categorical, 2 log ints, 3 floats"),
}

S = optuna.samplers
SAMPLERS = {
    "random": lambda s: S.RandomSampler(seed=s),
    "tpe": lambda s: S.TPESampler(seed=s),
    "tpe_multivariate": lambda s: S.TPESampler(seed=s, multivariate=True),
    "cmaes": lambda s: S.CmaEsSampler(seed=s),
    "gp": lambda s: S.GPSampler(seed=s),
    "gp_deterministic": lambda s: S.GPSampler(seed=s, deterministic_objective=True),
    "qmc": lambda s: S.QMCSampler(seed=s, scramble=True),
    "tpe_univariate": lambda s: S.TPESampler(seed=s, multivariate=False),
}


def machine():
    return {
        "python": platform.python_version(),
        "optuna": optuna.__version__,
        "numpy": np.__version__,
        "cpu": next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), "?"),
        "pinned_to_cores": len(os.sched_getaffinity(0)),
    }


def dump(path, data):
    with open(path + ".part", "w") as f:
        json.dump(data, f, indent=1)
    os.replace(path + ".part", path)


def quality(a):
    try:
        out = json.load(open(a.out))
    except FileNotFoundError:
        out = {"machine": machine(), "protocol": __doc__, "checkpoints": CHECK, "results": {}}
    for fn in a.functions.split(",") if a.functions else FUNCTIONS:
        obj, fmin, text = FUNCTIONS[fn]
        for sn in a.samplers.split(","):
            key = f"{fn}/{sn}"
            if key in out["results"] and out["results"][key]["seeds"] >= a.seeds:
                continue
            curves, cpu = [], []
            for seed in range(a.seeds):
                st = optuna.create_study(sampler=SAMPLERS[sn](seed))
                best, row = math.inf, []
                c0 = time.process_time()
                for i in range(a.trials):
                    t = st.ask()
                    v = obj(t)
                    st.tell(t, v)
                    best = min(best, v)
                    if i + 1 in CHECK:
                        row.append(best - fmin)
                cpu.append(time.process_time() - c0)
                curves.append(row)
            c = np.array(curves)
            out["results"][key] = {
                "f_min": fmin,
                "text": text,
                "seeds": a.seeds,
                "trials": a.trials,
                "median": dict(zip(map(str, CHECK), np.median(c, 0).tolist())),
                "q25": dict(zip(map(str, CHECK), np.quantile(c, 0.25, 0).tolist())),
                "q75": dict(zip(map(str, CHECK), np.quantile(c, 0.75, 0).tolist())),
                "cpu_s_per_run": statistics.median(cpu),
                "curves": c.tolist(),
            }
            print(key, {k: round(v, 5) for k, v in out["results"][key]["median"].items()}, round(statistics.median(cpu), 2), "s/run", flush=True)
            dump(a.out, out)


def overhead(a):
    """ask + 10 suggestions + tell, at a history of n completed trials, 10 uniform floats in [0,1].

    Milliseconds, median over the repetitions; the first two are dropped (they fill the caches), the first
    one is kept apart as first_total. "cpu" is the process's own CPU time (the wall times were taken on a
    busy machine). "open" is the CPU time of opening the study and reading its trials, once.
    """
    import tempfile

    out = {"machine": machine(), "what": overhead.__doc__, "results": {}}
    rng = np.random.default_rng(0)
    dist = {f"x{i}": optuna.distributions.FloatDistribution(0, 1) for i in range(10)}
    for storage in a.storages.split(","):
        for n in a.sizes:
            for sn in a.samplers.split(","):
                tmp = tempfile.mkdtemp(dir=a.tmp)
                url = {
                    "memory": lambda: None,
                    "sqlite": lambda: f"sqlite:///{tmp}/a.db",
                    "journal": lambda: optuna.storages.JournalStorage(
                        optuna.storages.journal.JournalFileBackend(f"{tmp}/a.log")
                    ),
                }[storage]()
                opened = None
                if storage == "sqlite":
                    fill_sqlite(f"{tmp}/a.db", n, rng)
                    c0 = time.process_time()
                    st = optuna.load_study(study_name="s", storage=url, sampler=SAMPLERS[sn](0))
                    assert len(st.get_trials(deepcopy=False)) == n
                    opened = round((time.process_time() - c0) * 1e3, 3)
                else:
                    st = optuna.create_study(study_name="s", storage=url, sampler=SAMPLERS[sn](0))
                    for _ in range(n):
                        p = {k: float(rng.random()) for k in dist}
                        st.add_trial(optuna.trial.create_trial(params=p, distributions=dist, value=sum(p.values())))
                parts = {"ask": [], "suggest": [], "tell": [], "total": [], "cpu": []}
                for _ in range(a.reps + 2):
                    c0 = time.process_time()
                    t0 = time.perf_counter()
                    t = st.ask()
                    t1 = time.perf_counter()
                    v = sum(t.suggest_float(f"x{i}", 0, 1) for i in range(10))
                    t2 = time.perf_counter()
                    st.tell(t, v)
                    t3 = time.perf_counter()
                    for k, d in zip(parts, (t1 - t0, t2 - t1, t3 - t2, t3 - t0, time.process_time() - c0)):
                        parts[k].append(d * 1e3)
                r = {k: round(statistics.median(v[2:]), 3) for k, v in parts.items()}
                r["first_total"] = round(parts["total"][0], 3)
                if opened is not None:
                    r["open"] = opened
                out["results"][f"{storage}/{n}/{sn}"] = r
                print(storage, n, sn, r, flush=True)
                dump(a.out, out)


def fill_sqlite(path, n, rng):
    """Fill a fresh database with n finished trials directly (Optuna's own add_trial costs ~10 ms each)."""
    import sqlite3

    optuna.create_study(study_name="s", storage=f"sqlite:///{path}")
    c = sqlite3.connect(path)
    dj = '{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 1.0, "log": false}}'
    for i in range(n):
        x = rng.random(10)
        c.execute("insert into trials values (?,?,1,'COMPLETE','2026-01-01 00:00:00.000000','2026-01-01 00:00:01.000000')", (i + 1, i))
        c.executemany(
            "insert into trial_params(trial_id,param_name,param_value,distribution_json) values (?,?,?,?)",
            [(i + 1, f"x{j}", float(x[j]), dj) for j in range(10)],
        )
        c.execute("insert into trial_values(trial_id,objective,value,value_type) values (?,0,?,'FINITE')", (i + 1, float(x.sum())))
    c.commit()
    c.close()


if __name__ == "__main__":
    here = os.path.dirname(os.path.abspath(__file__))
    p = argparse.ArgumentParser()
    p.add_argument("mode", choices=("quality", "overhead"))
    p.add_argument("--samplers", default="random,tpe,tpe_univariate,cmaes")
    p.add_argument("--storages", default="memory,journal,sqlite")
    p.add_argument("--functions", default="")
    p.add_argument("--seeds", type=int, default=20)
    p.add_argument("--trials", type=int, default=200)
    p.add_argument("--reps", type=int, default=20)
    p.add_argument("--sizes", type=lambda s: [int(v) for v in s.split(",")], default=[100, 1000, 5000])
    p.add_argument("--tmp", default=None)
    p.add_argument("--out", default="")
    a = p.parse_args()
    a.out = a.out or os.path.join(here, f"optuna_{a.mode}.json")
    {"quality": quality, "overhead": overhead}[a.mode](a)
