"""The Rust networks against the real PyTorch, at full size: outputs and gradients side by side.

    pip install torch==2.11.0 numpy safetensors
    python scripts/parity.py        prints the largest absolute differences; exits with 1 where one is over 1e-5

Each case is recorded by PyTorch as golden_networks.py does it, and repeated by `cargo run -p tapeline-models --example forward`.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import torch
from safetensors.torch import load_file, save_file

from golden_networks import ROOT, network_spec, record, three_heads

TOLERANCE = 1e-5
BATCH = 32
THREE_TIMEFRAMES = [(60, 8)] * 3
KINDS = ("cnn", "lstm", "hybrid")
FUSIONS = ("concat", "gated", "attention", "bilinear")
CASES = {
    f"{kind}, {fusion}": network_spec(THREE_TIMEFRAMES, three_heads(3, 4), kind=kind, fusion=fusion) for kind in KINDS for fusion in FUSIONS
} | {
    "hybrid, bidirectional": network_spec(THREE_TIMEFRAMES, three_heads(3, 4), lstm={"bidirectional": True}),
    "lstm, bidirectional": network_spec(THREE_TIMEFRAMES, three_heads(3, 4), kind="lstm", fusion="gated", lstm={"bidirectional": True}),
    "wide, lengths and features differ": network_spec(
        [(120, 12), (48, 8)], three_heads(3, 4), output_size=256,
        cnn={"channels": 96, "kernel_sizes": [3, 9], "dilations": [1, 2, 4, 8], "attention_heads": 8},
        lstm={"hidden_size": 192, "num_layers": 3, "attention_heads": 6},
    ),
    "one bar": network_spec([(1, 8)], three_heads(1, 4)),
    "one branch, attention": network_spec([(60, 8)], three_heads(3, 4), kind="cnn", fusion="attention"),
}


def repeat(recorded, results):
    command = ["cargo", "run", "--quiet", "--package", "tapeline-models", "--example", "forward", "--", recorded, results]
    subprocess.run(command, cwd=ROOT, check=True)


def distance(found, expected):
    """The largest absolute difference of two tensors; infinite where one is not a number."""
    return (found - expected).abs().nan_to_num(nan=float("inf")).max().item()


def worst(found, expected, prefix):
    """The name and size of the largest absolute difference among the tensors whose names start so."""
    names = [name for name in expected if name.startswith(prefix)]
    missing = [name for name in names if name not in found or found[name].shape != expected[name].shape]
    if missing:
        return missing[0], float("inf")
    largest, name = max((distance(found[name], expected[name]), name) for name in names)
    return name, largest


def main():
    failed = False
    print(f"{'case':<36} {'parameters':>10}   {'outputs':>8} {'gradients':>9}   worst gradient")
    for seed, (case, spec) in enumerate(CASES.items()):
        expected = record(spec, BATCH, seed)
        with tempfile.TemporaryDirectory() as folder:
            recorded, results = (pathlib.Path(folder) / name for name in ("recorded.safetensors", "results.safetensors"))
            save_file(expected, recorded, metadata={"spec": json.dumps(spec)})
            repeat(recorded, results)
            found = load_file(results)
        parameters = sum(tensor.numel() for name, tensor in expected.items() if name.startswith("weight/"))
        _, outputs = worst(found, expected, "output/")
        name, gradients = worst(found, expected, "gradient/")
        passed = outputs <= TOLERANCE and gradients <= TOLERANCE
        failed |= not passed
        verdict = "" if passed else "   TOO FAR"
        print(f"{case:<36} {parameters:>10}   {outputs:>8.1e} {gradients:>9.1e}   {name.removeprefix('gradient/')}{verdict}")
    print(f"torch {torch.__version__}, batch {BATCH}, tolerance {TOLERANCE:.0e}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
