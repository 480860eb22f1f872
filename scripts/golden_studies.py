"""Writes studies with Optuna and says what Optuna reads in them: crates/hpo/tests/golden/optuna-<version>.{db,json}.

    python -m venv venv && venv/bin/pip install optuna==5.0.0
    TZ=UTC venv/bin/python scripts/golden_studies.py crates/hpo/tests/golden

Run it once with each version that is to be read. The time zone matters: Optuna 4 writes local times.
"""

import json
import os
import sqlite3
import sys
import warnings

warnings.filterwarnings("ignore")

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "crates", "hpo", "tests", "it"))

import optuna
from optuna import distributions as may_be
from optuna.trial import TrialState

from optuna_peer import dump


def everything(storage):
    """One of each that Optuna's samplers, pruners and users leave behind."""
    study = optuna.create_study(
        study_name="everything, é",
        storage=storage,
        sampler=optuna.samplers.TPESampler(seed=1, n_startup_trials=3, multivariate=True),
        pruner=optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=2),
    )
    study.set_user_attr("note", {"nan": float("nan"), "huge": 10**30, "text": "é\ud83d", "list": [1, None, True]})
    study.set_metric_names(["loss"])
    study.enqueue_trial({"float": 0.25, "kind": True, "float outside": 9.0})
    endings = [1.5, float("inf"), -float("inf"), float("nan"), "prune", "prune nan", "fail", 0.1 + 0.2, -0.0, 1e-300]
    for ending in endings:
        trial = study.ask()
        x = trial.suggest_float("float", -1.0, 1.0)
        trial.suggest_float("log", 1e-5, 1.0, log=True)
        trial.suggest_float("stepped", 0.0, 1.05, step=0.25)
        trial.suggest_int("int", -3, 3)
        trial.suggest_int("log int", 1, 1024, log=True)
        trial.suggest_int("every third", 0, 10, step=3)
        trial.suggest_categorical("kind", ["a", None, True, 3, 2.5, "é"])
        trial.suggest_float("float outside", 0.0, 1.0)
        if x > 0:
            trial.suggest_float("conditional", 0.0, 1.0)
        trial.set_user_attr("odd", [float("inf"), -float("inf"), float("nan")])
        for step, value in enumerate([x, float("inf"), -float("inf"), float("nan")]):
            trial.report(value, step)
            trial.should_prune()
        if ending == "prune":
            trial.report(0.5, 10)
        if isinstance(ending, str):
            study.tell(trial, state=TrialState.FAIL if ending == "fail" else TrialState.PRUNED)
        else:
            study.tell(trial, ending, skip_if_finished=True)
    running = study.ask()
    running.suggest_float("float", -1.0, 1.0)
    running.report(7.0, 3)
    storage.record_heartbeat(running._trial_id)
    study.enqueue_trial({"float": 0.5}, user_attrs={"why": "queued"})


def several(storage):
    """Several objectives, with constraints."""
    study = optuna.create_study(
        study_name="several",
        storage=storage,
        directions=["minimize", "maximize"],
        sampler=optuna.samplers.NSGAIISampler(seed=1, population_size=4, constraints_func=lambda t: (t.params["x"] - 0.5,)),
    )
    study.optimize(lambda trial: (trial.suggest_float("x", 0, 1), trial.suggest_int("n", 0, 9)), n_trials=6)


def others(storage):
    """What a sampler notes beside its trials, and a study that nobody began."""
    study = optuna.create_study(
        study_name="grid", storage=storage, direction="maximize", sampler=optuna.samplers.GridSampler({"x": [0, 1], "y": [2.0]})
    )
    study.optimize(lambda trial: trial.suggest_int("x", 0, 1) + trial.suggest_float("y", 0, 4), n_trials=2)
    optuna.create_study(study_name="empty", storage=storage)


def legacy(storage):
    """Distributions under the names that they had before Optuna 3."""
    study = optuna.create_study(study_name="legacy", storage=storage)
    distributions = {
        "uniform": (may_be.UniformDistribution(0.0, 2.0), 0.5),
        "log uniform": (may_be.LogUniformDistribution(0.1, 2.0), 0.5),
        "discrete": (may_be.DiscreteUniformDistribution(0.0, 2.0, 0.5), 1.5),
        "int": (may_be.IntUniformDistribution(0, 5, 2), 4.0),
        "log int": (may_be.IntLogUniformDistribution(1, 5), 4.0),
    }
    trial = storage.create_new_trial(study._study_id)
    for name, (distribution, value) in distributions.items():
        storage.set_trial_param(trial, name, value, distribution)
    storage.set_trial_state_values(trial, TrialState.COMPLETE, [1.0])


def short(path):
    """The short form of distributions, which tools write that do not go through Optuna."""
    url = f"sqlite:///{path}"
    optuna.create_study(study_name="short", storage=url)
    with sqlite3.connect(path) as file:
        (study,) = file.execute("SELECT study_id FROM studies WHERE study_name = 'short'").fetchone()
        file.execute(
            "INSERT INTO trials (number, study_id, state, datetime_start) VALUES (0, ?, 'RUNNING', '2026-01-02 03:04:05')",
            (study,),
        )
        (trial,) = file.execute("SELECT max(trial_id) FROM trials").fetchone()
        forms = {
            "float": ('{"type":"float","low":0,"high":1,"log":false}', 0.5),
            "int": ('{"type": "int", "low": 1, "high": 8, "log": true}', 2),
            "kind": ('{"type": "categorical", "choices": ["a", "b"]}', 1),
        }
        for name, (text, value) in forms.items():
            file.execute(
                "INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json) VALUES (?, ?, ?, ?)",
                (trial, name, value, text),
            )


def main(folder):
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    stem = os.path.join(folder, "optuna-" + ".".join(optuna.__version__.split(".")[:2]))
    path = stem + ".db"
    if os.path.exists(path):
        os.remove(path)
    storage = optuna.storages.RDBStorage(f"sqlite:///{path}", heartbeat_interval=60)
    for write in (everything, several, others, legacy):
        write(storage)
    short(path)
    storage.engine.dispose()
    file = sqlite3.connect(path, isolation_level=None)
    file.execute("PRAGMA page_size = 1024")
    file.execute("VACUUM")
    file.close()
    with open(stem + ".json", "w") as out:
        json.dump(dump(f"sqlite:///{path}"), out, indent=0)
        out.write("\n")


if __name__ == "__main__":
    main(sys.argv[1])
