"""Prints what the owners of a tracker's files read in them: [[step, loss], ...] of `step/loss`, in the order of the files.

Arguments: the tracker, the folder of its files.
"""

import json
import pathlib
import sys


def tensorboard(folder):
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
    from tensorboard.util import tensor_util

    for path in sorted(folder.glob("*tfevents*")):
        for event in EventFileLoader(str(path)).Load():
            for value in event.summary.value:
                if value.tag == "step/loss":
                    yield event.step, float(tensor_util.make_ndarray(value.tensor))


def wandb(folder):
    from wandb.proto import wandb_internal_pb2
    from wandb.sdk.internal.datastore import DataStore

    for path in sorted(folder.glob("offline-run-*/*.wandb")):
        store = DataStore()
        store.open_for_scan(str(path))
        while (data := store.scan_data()) is not None:
            record = wandb_internal_pb2.Record()
            record.ParseFromString(data)
            row = {item.key or "/".join(item.nested_key): item.value_json for item in record.history.item}
            if "step/loss" in row:
                yield json.loads(row["step"]), json.loads(row["step/loss"])


print(json.dumps(list({"tensorboard": tensorboard, "wandb": wandb}[sys.argv[1]](pathlib.Path(sys.argv[2])))))
