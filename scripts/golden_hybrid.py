"""Golden passes of the hybrid: weights, inputs, outputs and gradients of the PyTorch module in benches/peers/torch_hybrid.py.

    pip install torch==2.11.0 numpy safetensors
    python scripts/golden_hybrid.py            writes crates/models/tests/golden/hybrid_*.safetensors
    python scripts/golden_hybrid.py --check    exits with 1 where a file differs from what it would write, by more than 1e-6

A file holds `weight/<name>`, `input/<timeframe>`, `upstream/<head>`, `output/<head>`, `output/features` and `gradient/<name>`; its
metadata holds the spec as JSON under `spec`. The gradients are those of the sum over the heads of <output, upstream>, in evaluation
mode. Weights start as PyTorch's own and are then shaken, so that no bias is zero and no scale is one.
"""
import argparse
import json
import pathlib
import sys

import torch
from safetensors import safe_open
from safetensors.torch import save_file

ROOT = pathlib.Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "crates/models/tests/golden"
sys.path.insert(0, str(ROOT / "benches/peers"))

from torch_hybrid import CnnBranch, Hybrid  # noqa: E402

# Our name of each head, and the peer's.
HEADS = {"price_prediction": "price", "volatility_estimation": "vol", "regime_detection": "regime"}
SHAKE = 0.1
CHECK_TOLERANCE = 1e-6


def network_spec(inputs, horizons, regimes, cnn=None, lstm=None, output_size=128):
    """A NetworkSpec as the Rust side reads it. `inputs` are (length, features) per timeframe."""
    regression = {"regression": {"outputs": horizons}}
    classification = {"classification": {"horizons": 1, "classes": regimes}}
    kinds = dict(zip(HEADS, [regression, regression, classification]))
    return {
        "model": {"kind": "hybrid", "cnn": cnn or {}, "lstm": lstm or {}, "fusion": {"output_size": output_size}},
        "inputs": [{"length": length, "features": features} for length, features in inputs],
        "heads": [{"name": name, "kind": kind} for name, kind in kinds.items()],
    }


CASES = {
    "three_timeframes": dict(
        spec=network_spec(
            [(12, 4), (10, 3), (7, 5)], horizons=3, regimes=4, output_size=6,
            cnn={"channels": 8, "kernel_sizes": [3, 5, 7], "dilations": [1, 2], "attention_heads": 2},
            lstm={"hidden_size": 8, "num_layers": 2, "attention_heads": 2},
        ),
        batch=3, seed=1,
    ),
    "bidirectional": dict(
        spec=network_spec(
            [(9, 5)], horizons=2, regimes=3, output_size=8,
            cnn={"channels": 7, "kernel_sizes": [1, 3], "dilations": [3], "attention_heads": 1},
            lstm={"hidden_size": 6, "num_layers": 2, "bidirectional": True, "attention_heads": 4},
        ),
        batch=4, seed=2,
    ),
    "smallest": dict(
        spec=network_spec(
            [(1, 1), (2, 1)], horizons=1, regimes=2, output_size=2,
            cnn={"channels": 2, "kernel_sizes": [3], "dilations": [1], "attention_heads": 2},
            lstm={"hidden_size": 2, "num_layers": 1, "attention_heads": 1},
        ),
        batch=1, seed=3,
    ),
}


def peer(spec):
    """The peer's module for a spec. It has one width of input and one number of heads; ours may differ by part."""
    cnn, lstm, fusion = (spec["model"][part] for part in ("cnn", "lstm", "fusion"))
    widths = [next(iter(head["kind"].values())) for head in spec["heads"]]
    channels, heads = cnn.get("channels", 64), cnn.get("attention_heads", 4)
    kernels, dilations = cnn.get("kernel_sizes", (3, 5, 7)), cnn.get("dilations", (1, 2, 4))
    module = Hybrid(
        n_tf=len(spec["inputs"]), f=spec["inputs"][0]["features"], c=channels, kernels=kernels, dilations=dilations,
        hidden=lstm.get("hidden_size", 128), layers=lstm.get("num_layers", 2), bidir=lstm.get("bidirectional", False),
        heads=heads, out=fusion["output_size"], horizons=widths[0]["outputs"], regimes=widths[2]["classes"],
    )
    for timeframe, shape in enumerate(spec["inputs"]):
        module.cnn[timeframe] = CnnBranch(shape["features"], channels, kernels, dilations, heads, 0.1)
    pool = module.lstm.pool.mha
    pool.num_heads = lstm.get("attention_heads", 4)
    pool.head_dim = pool.embed_dim // pool.num_heads
    return module.eval()


def our_name(name):
    """The Rust side's name of one of the peer's parameters: the same, but for the heads."""
    ours = {peer_name: name for name, peer_name in HEADS.items()}
    first, *rest = name.split(".")
    return ".".join([ours.get(first, first), *rest])


def record(spec, batch, seed):
    """One pass and its gradients, as a dictionary of tensors."""
    torch.manual_seed(seed)
    module = peer(spec)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += SHAKE * torch.randn_like(parameter)
    inputs = [torch.randn(batch, shape["length"], shape["features"]) for shape in spec["inputs"]]
    features = []
    module.fuse.register_forward_hook(lambda _module, _inputs, output: features.append(output))
    outputs = dict(zip(HEADS, module(inputs)))
    upstreams = {name: torch.randn_like(output) / output.numel() for name, output in outputs.items()}
    sum((outputs[name] * upstreams[name]).sum() for name in HEADS).backward()

    tensors = {f"input/{timeframe}": window for timeframe, window in enumerate(inputs)}
    tensors |= {f"upstream/{name}": upstream for name, upstream in upstreams.items()}
    tensors |= {f"output/{name}": output for name, output in outputs.items()}
    tensors["output/features"] = features[0]
    for name, parameter in module.named_parameters():
        tensors[f"weight/{our_name(name)}"] = parameter
        tensors[f"gradient/{our_name(name)}"] = parameter.grad
    return {name: tensor.detach().contiguous() for name, tensor in tensors.items()}


def differences(path, tensors):
    """What a stored file has otherwise, as lines of text."""
    with safe_open(path, "pt") as stored:
        names = set(stored.keys())
        for name in sorted(names ^ set(tensors)):
            yield f"{path.name}: {name} is on one side only"
        for name in sorted(names & set(tensors)):
            distance = (stored.get_tensor(name) - tensors[name]).abs().max().item()
            if not distance <= CHECK_TOLERANCE:
                yield f"{path.name}: {name} differs by {distance:.1e}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the stored files instead of writing them")
    check = parser.parse_args().check
    torch.set_num_threads(1)
    faults = []
    for name, case in CASES.items():
        path = GOLDEN / f"hybrid_{name}.safetensors"
        tensors = record(**case)
        if check:
            faults += differences(path, tensors)
        else:
            GOLDEN.mkdir(parents=True, exist_ok=True)
            save_file(tensors, path, metadata={"spec": json.dumps(case["spec"])})
            print(f"{path.relative_to(ROOT)}: {len(tensors)} tensors, {path.stat().st_size} bytes")
    for fault in faults:
        print(fault)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
