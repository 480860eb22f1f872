"""Prints what the owners of a tracker's files read in them: [[step, loss], ...] of `step/loss`, in the order of the files.

Arguments: the tracker, the folder of its files.
"""

import json
import pathlib
import struct
import sys


def tensorboard(folder):
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
    from tensorboard.util import tensor_util

    for path in sorted(folder.glob("*tfevents*")):
        for event in EventFileLoader(str(path)).Load():
            for value in event.summary.value:
                if value.tag == "step/loss":
                    yield event.step, float(tensor_util.make_ndarray(value.tensor))


def records(path):
    """The records of W&B's file: LevelDB's log behind a header of 7 bytes, which the first block counts in."""
    data, at, whole = path.read_bytes(), 7, b""
    while at + 7 <= len(data):
        room = 32768 - at % 32768
        if room < 7:
            at += room
            continue
        length, kind = struct.unpack("<HB", data[at + 4 : at + 7])
        whole += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # whole, or the last part
            yield whole
            whole = b""


def wandb(folder):
    from wandb.proto import wandb_internal_pb2

    for path in sorted(folder.glob("offline-run-*/*.wandb")):
        for data in records(path):
            record = wandb_internal_pb2.Record()
            record.ParseFromString(data)
            row = {item.key or "/".join(item.nested_key): item.value_json for item in record.history.item}
            if "step/loss" in row:
                yield json.loads(row["step"]), json.loads(row["step/loss"])


print(json.dumps(list({"tensorboard": tensorboard, "wandb": wandb}[sys.argv[1]](pathlib.Path(sys.argv[2])))))
