"""Optuna as the other side of a storage.

dump URL                      all studies as JSON, as Optuna reads them
work URL STUDY COUNT          COUNT trials of a study, after a line "ready" was printed and a line was read
queue URL STUDY               queues one trial
beat URL STUDY                fails what is stale and makes a trial that beats; prints the numbers that were failed
dashboard URL                 what the dashboard's API says of the studies and of study 1
versions                      what is installed
"""

import datetime
import json
import sys
import warnings

warnings.filterwarnings("ignore")

import optuna

optuna.logging.set_verbosity(optuna.logging.ERROR)


def micros(time):
    """Microseconds since 1970 of a time that says its zone, or is in UTC."""
    if time is None:
        return None
    if time.tzinfo is None:
        time = time.replace(tzinfo=datetime.timezone.utc)
    return round(time.timestamp() * 1e6)


def attributes(found):
    return {key: found[key] for key in sorted(found)}


def dump(url):
    studies = []
    for name in sorted(optuna.get_all_study_names(url)):
        study = optuna.load_study(study_name=name, storage=url)
        trials = []
        for trial in study.trials:
            params = {}
            for name_, value in sorted(trial.params.items()):
                distribution = trial.distributions[name_]
                params[name_] = {
                    "distribution": optuna.distributions.distribution_to_json(distribution),
                    "internal": distribution.to_internal_repr(value),
                    "external": value,
                }
            trials.append(
                {
                    "number": trial.number,
                    "state": trial.state.name,
                    "values": trial.values,
                    "params": params,
                    "intermediate": [[step, value] for step, value in sorted(trial.intermediate_values.items())],
                    "user": attributes(trial.user_attrs),
                    "system": attributes(trial.system_attrs),
                    "started": micros(trial.datetime_start),
                    "completed": micros(trial.datetime_complete),
                }
            )
        studies.append(
            {
                "name": name,
                "directions": [direction.name for direction in study.directions],
                "user": attributes(study.user_attrs),
                "system": attributes(study._storage.get_study_system_attrs(study._study_id)),
                "trials": trials,
            }
        )
    return studies


def work(url, name, count):
    # Python's SQLite gives up on a locked file after 5 s, which is little when five processes share two busy cores.
    options = {"connect_args": {"timeout": 60}} if url.startswith("sqlite") else {}
    storage = optuna.storages.RDBStorage(url, engine_kwargs=options)
    study = optuna.load_study(study_name=name, storage=storage, sampler=optuna.samplers.RandomSampler())
    print("ready", flush=True)
    sys.stdin.readline()
    for _ in range(count):
        trial = study.ask()
        try:
            x = trial.suggest_float("x", 0.0, 1.0)
            trial.suggest_categorical("kind", ["a", None, True])
            trial.report(x, 0)
            study.tell(trial, x)
            print("done", trial.number, flush=True)
        except optuna.exceptions.UpdateFinishedTrialError:
            # In a SQLite file it takes queued trials that others have.
            print("lost", trial.number, flush=True)
        except optuna.exceptions.StorageInternalError as error:
            # The same, when the other one has just written the parameter.
            if "UNIQUE" not in str(error.__cause__ or error):
                raise
            print("lost", trial.number, flush=True)


def beat(url, name):
    storage = optuna.storages.RDBStorage(
        url,
        heartbeat_interval=1,
        grace_period=2,
        heartbeat_stale_trial_callback=optuna.storages.RetryHeartbeatStaleTrialCallback(max_retry=1),
    )
    study = optuna.load_study(study_name=name, storage=storage)
    before = {trial.number for trial in study.trials if trial.state == optuna.trial.TrialState.FAIL}
    optuna.storages.fail_stale_trials(study)
    after = {trial.number for trial in study.trials if trial.state == optuna.trial.TrialState.FAIL}
    trial = study.ask()
    storage.record_heartbeat(trial._trial_id)
    return {"failed": sorted(after - before), "beating": trial.number}


def dashboard(url):
    import os
    import socket
    import subprocess
    import time
    import urllib.request

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = os.path.join(os.path.dirname(sys.executable), "optuna-dashboard")
    command = [program, url, "--host", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 600
        while True:
            try:
                answers = {}
                for path in ("/api/studies", "/api/studies/1"):
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
                        answers[path] = json.load(answer)
                return answers
            except OSError:
                if time.monotonic() > deadline or server.poll() is not None:
                    raise
                time.sleep(0.2)
    finally:
        server.kill()
        server.wait()


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    if command == "dump":
        print(json.dumps(dump(*arguments)))
    elif command == "work":
        work(arguments[0], arguments[1], int(arguments[2]))
    elif command == "queue":
        optuna.load_study(study_name=arguments[1], storage=arguments[0]).enqueue_trial({"x": 0.125, "kind": None})
    elif command == "beat":
        print(json.dumps(beat(*arguments)))
    elif command == "dashboard":
        print(json.dumps(dashboard(*arguments)))
    elif command == "versions":
        print(optuna.__version__)
    else:
        sys.exit(__doc__)
