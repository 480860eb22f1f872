"""The NumPy network that a model on an MLflow server brings along, held against PyTorch's own modules.

Every architecture with every fusion, with one timeframe and two, in both directions, with random weights. Needs torch and NumPy:
`python scripts/parity_pyfunc.py`. NumPy computes in 64 bits, PyTorch in 32: what differs is PyTorch's rounding, below 1e-6 here.
"""
import itertools
import json
import pathlib
import struct
import sys
import tempfile

import numpy as np
import torch

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "crates/tracking/src/mlflow/model")]

import torch_networks  # noqa: E402
from tapeline_network import Model  # noqa: E402

TOLERANCE = 1e-5

CNN = {"channels": 8, "kernel_sizes": [3, 5], "dilations": [1, 2], "attention_heads": 2, "dropout": 0.1}
LSTM = {"hidden_size": 6, "num_layers": 2, "attention_heads": 2, "dropout": 0.1}
HEADS = [
    {"name": "price_prediction", "kind": {"regression": {"outputs": 2}}},
    {"name": "volatility_estimation", "kind": {"regression": {"outputs": 1}}},
    {"name": "regime_detection", "kind": {"classification": {"horizons": 2, "classes": 4}}},
]


def write_tensors(path, arrays):
    header, body = {}, b""
    for name, array in arrays.items():
        data = np.ascontiguousarray(array, np.float32).tobytes()
        offsets = [len(body), len(body) + len(data)]
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": offsets}
        body += data
    header = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + body)


def difference(folder, spec):
    module = torch_networks.Branched(spec).eval()
    for parameter in module.parameters():
        parameter.data += torch.randn_like(parameter) * 0.1
    arrays = {torch_networks.our_name(name): tensor.numpy() for name, tensor in module.state_dict().items()}
    write_tensors(folder / "weights.safetensors", arrays)
    (folder / "artefact.json").write_text(json.dumps({"network": spec}))
    inputs = [torch.randn(5, shape["length"], shape["features"]) for shape in spec["inputs"]]
    with torch.no_grad():
        expected = module(inputs)
    said = Model(folder).predict([array.numpy() for array in inputs])
    return max(float(np.abs(said[head["name"]] - array.numpy()).max()) for head, array in zip(HEADS, expected))


def main():
    torch.manual_seed(0)
    worst = 0.0
    cases = itertools.product(["cnn", "lstm", "hybrid"], torch_networks.FUSIONS, [False, True], [1, 2])
    with tempfile.TemporaryDirectory() as folder:
        for kind, fusion, bidirectional, timeframes in cases:
            model = {
                "kind": kind,
                "cnn": CNN,
                "lstm": LSTM | {"bidirectional": bidirectional},
                "fusion": {"kind": fusion, "output_size": 12, "dropout": 0.1},
            }
            inputs = [{"length": 9 - place, "features": 3 + place} for place in range(timeframes)]
            found = difference(pathlib.Path(folder), {"model": model, "inputs": inputs, "heads": HEADS})
            worst = max(worst, found)
            if not found <= TOLERANCE:
                sys.exit(f"{kind} {fusion}, bidirectional {bidirectional}, {timeframes} timeframes: differs by {found:.1e}")
    print(f"48 networks agree with PyTorch, the worst to {worst:.1e}")


if __name__ == "__main__":
    main()
