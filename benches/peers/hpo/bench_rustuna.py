#!/usr/bin/env python3
"""The same functions, protocol and overhead measure as bench_optuna.py, on Rustuna (Optuna's own Rust port).

Run:  python bench_rustuna.py quality|overhead|tight [--out FILE]
"tight" times whole studies (ask, 10 floats, tell) of 1,000 and 5,000 trials, for Optuna and Rustuna, in memory.
"""
import argparse, json, math, os, statistics, sys, time, tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import numpy as np
import optuna, rustuna
from importlib.metadata import version
import bench_optuna as B

SAMPLERS = {
    "tpe": lambda s: rustuna.samplers.TPESampler(seed=s),
    "cmaes": lambda s: rustuna.samplers.CmaEsSampler(seed=s),
}


def quality(a):
    out = {"rustuna": version("rustuna"), "machine": B.machine(), "results": {}}
    for fn, (obj, fmin, _) in B.FUNCTIONS.items():
        for sn, mk in SAMPLERS.items():
            curves, cpu = [], []
            for seed in range(a.seeds):
                st = rustuna.create_study(sampler=mk(seed))
                best, row = math.inf, []
                c0 = time.process_time()
                for i in range(200):
                    t = st.ask()
                    v = obj(t)
                    st.tell(t.number, v)
                    best = min(best, v)
                    if i + 1 in B.CHECK:
                        row.append(best - fmin)
                cpu.append(time.process_time() - c0)
                curves.append(row)
            c = np.array(curves)
            out["results"][f"{fn}/{sn}"] = {
                "median": dict(zip(map(str, B.CHECK), np.median(c, 0).tolist())),
                "q25": dict(zip(map(str, B.CHECK), np.quantile(c, 0.25, 0).tolist())),
                "q75": dict(zip(map(str, B.CHECK), np.quantile(c, 0.75, 0).tolist())),
                "cpu_s_per_run": statistics.median(cpu),
                "curves": c.tolist(),
                "seeds": a.seeds,
            }
            print(fn, sn, {k: round(v, 5) for k, v in out["results"][f"{fn}/{sn}"]["median"].items()}, round(statistics.median(cpu), 3), flush=True)
            B.dump(a.out, out)


def overhead(a):
    out = {"rustuna": version("rustuna"), "machine": B.machine(), "what": B.overhead.__doc__, "results": {}}
    rng = np.random.default_rng(0)
    for storage in a.storages.split(","):
        for n in (100, 1000, 5000):
            st = opened = None
            if storage == "sqlite":
                p = tempfile.mkdtemp() + "/a.db"
                B.fill_sqlite(p, n, rng)
                c0 = time.process_time()
                try:
                    st = rustuna.load_study(study_name="s", storage=rustuna.storages.SQLite3Storage(p), sampler=SAMPLERS["tpe"](0))
                    assert len(st.trials) == n
                    opened = round((time.process_time() - c0) * 1e3, 3)
                except Exception as e:
                    print("sqlite", type(e).__name__, str(e)[:200])
                    out["results"][f"sqlite/{n}/tpe"] = f"{type(e).__name__}: {e}"
                    continue
            else:
                st = rustuna.create_study(sampler=rustuna.samplers.TPESampler(seed=0, n_startup_trials=10))
                # history made by random search, so that filling it is quick
                r = rustuna.create_study(sampler=rustuna.samplers.RandomSampler(seed=0))
                for _ in range(n):
                    t = r.ask()
                    r.tell(t.number, sum(t.suggest_float(f"x{i}", 0, 1) for i in range(10)))
                try:
                    for t in r.trials:
                        st.add_trial(t)
                except Exception as e:
                    print("add_trial:", e)
                    r.sampler = SAMPLERS["tpe"](0)
                    st = r
            parts = {"ask": [], "suggest": [], "tell": [], "total": [], "cpu": []}
            for _ in range(22):
                c0 = time.process_time()
                t0 = time.perf_counter()
                t = st.ask()
                t1 = time.perf_counter()
                v = sum(t.suggest_float(f"x{i}", 0, 1) for i in range(10))
                t2 = time.perf_counter()
                st.tell(t.number, v)
                t3 = time.perf_counter()
                for k, d in zip(parts, (t1 - t0, t2 - t1, t3 - t2, t3 - t0, time.process_time() - c0)):
                    parts[k].append(d * 1e3)
            res = {k: round(statistics.median(v[2:]), 3) for k, v in parts.items()}
            if opened is not None:
                res["open"] = opened
            out["results"][f"{storage}/{n}/tpe"] = res
            print(storage, n, res, len(st.trials), flush=True)
            B.dump(a.out, out)


def tight(a):
    out = {"machine": B.machine(), "results": {}}
    for lib, mod in (("rustuna", rustuna), ("optuna", optuna)):
        for n in (1000, 5000) if lib == "rustuna" else (1000,):
            st = mod.create_study(sampler=mod.samplers.TPESampler(seed=0))
            c0, t0 = time.process_time(), time.perf_counter()
            for _ in range(n):
                t = st.ask()
                st.tell(t.number, sum(t.suggest_float(f"x{i}", 0, 1) ** 2 for i in range(10)))
            out["results"][f"{lib}/{n}"] = {"wall_s": time.perf_counter() - t0, "cpu_s": time.process_time() - c0}
            print(lib, n, out["results"][f"{lib}/{n}"], flush=True)
            B.dump(a.out, out)


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("mode", choices=("quality", "overhead", "tight"))
    p.add_argument("--seeds", type=int, default=20)
    p.add_argument("--storages", default="memory,sqlite")
    p.add_argument("--out", default="")
    a = p.parse_args()
    a.out = a.out or os.path.join(os.path.dirname(os.path.abspath(__file__)), f"rustuna_{a.mode}.json")
    {"quality": quality, "overhead": overhead, "tight": tight}[a.mode](a)
