"""Golden passes of every architecture and fusion: weights, inputs, outputs and gradients of PyTorch modules (torch_networks.py).

    pip install torch==2.11.0 numpy safetensors
    python scripts/golden_networks.py            writes crates/models/tests/golden/*.safetensors and autocast.json
    python scripts/golden_networks.py --check    exits with 1 where a file differs from what it would write, by more than 1e-6

A file holds `weight/<name>`, `input/<timeframe>`, `upstream/<head>`, `output/<head>`, `output/features` and `gradient/<name>`; its
metadata holds the spec as JSON under `spec`. The gradients are those of the sum over the heads of <output, upstream>, in evaluation
mode. Weights start as PyTorch's own and are then shaken, so that no bias is zero and no scale is one.

`autocast.json` holds, for some of the files, the losses of their outputs in 32 bits and under `torch.autocast` in bfloat16 and, without an LSTM, float16:
Huber's against <upstream times its size>, and the cross entropy of the classes with the greatest upstream. The losses are of 32 bits.
"""
import argparse
import json
import sys

import torch
from torch.nn import functional
from safetensors import safe_open
from safetensors.torch import save_file

from torch_networks import HEADS, ROOT, network, our_name

GOLDEN = ROOT / "crates/models/tests/golden"
SHAKE = 0.1
CHECK_TOLERANCE = 1e-6


def three_heads(horizons, regimes):
    regression = {"regression": {"outputs": horizons}}
    classification = {"classification": {"horizons": 1, "classes": regimes}}
    return dict(zip(HEADS, [regression, regression, classification]))


def network_spec(inputs, heads, cnn=None, lstm=None, output_size=128, kind="hybrid", fusion="concat"):
    """A NetworkSpec as the Rust side reads it. `inputs` are (length, features) per timeframe. What is a default is left out."""
    branches = {"cnn": {"cnn": cnn or {}}, "lstm": {"lstm": lstm or {}}, "hybrid": {"cnn": cnn or {}, "lstm": lstm or {}}}
    fusion = {"output_size": output_size} | ({} if fusion == "concat" else {"kind": fusion})
    return {
        "model": {"kind": kind} | branches[kind] | {"fusion": fusion},
        "inputs": [{"length": length, "features": features} for length, features in inputs],
        "heads": [{"name": name, "kind": kind} for name, kind in heads.items()],
    }


CASES = {
    "hybrid_three_timeframes": dict(
        spec=network_spec(
            [(12, 4), (10, 3), (7, 5)], three_heads(horizons=3, regimes=4), output_size=6,
            cnn={"channels": 6, "kernel_sizes": [3, 5, 7], "dilations": [1, 2], "attention_heads": 2},
            lstm={"hidden_size": 8, "num_layers": 2, "attention_heads": 2},
        ),
        batch=3, seed=1,
    ),
    "hybrid_bidirectional": dict(
        spec=network_spec(
            [(9, 5)], three_heads(horizons=2, regimes=3), output_size=8,
            cnn={"channels": 7, "kernel_sizes": [1, 3], "dilations": [3], "attention_heads": 1},
            lstm={"hidden_size": 6, "num_layers": 2, "bidirectional": True, "attention_heads": 4},
        ),
        batch=4, seed=2,
    ),
    "hybrid_smallest": dict(
        spec=network_spec(
            [(1, 1), (2, 1)], three_heads(horizons=1, regimes=2), output_size=2,
            cnn={"channels": 2, "kernel_sizes": [3], "dilations": [1], "attention_heads": 2},
            lstm={"hidden_size": 2, "num_layers": 1, "attention_heads": 1},
        ),
        batch=1, seed=3,
    ),
}

# Every other architecture and fusion, no larger than it takes. Products of pairs get three branches; recurrent
# nets come as one branch too, where each fusion has a rule of its own.
SMALL_CNN = {"channels": 3, "kernel_sizes": [3], "dilations": [1], "attention_heads": 1}
SMALL_LSTM = {"hidden_size": 2, "num_layers": 1, "attention_heads": 2}
SHAPES = [(4, 2), (3, 1), (2, 3)]


def small(kind, fusion, branches, seed, **parts):
    head = {"price_prediction": {"regression": {"outputs": 2}}}
    return dict(spec=network_spec(SHAPES[:branches], head, output_size=4, kind=kind, fusion=fusion, **parts), batch=3, seed=seed)


for seed, fusion in enumerate(["concat", "gated", "attention", "bilinear"], 10):
    CASES[f"cnn_{fusion}"] = small("cnn", fusion, 3 if fusion == "bilinear" else 2, seed, cnn=SMALL_CNN)
    lstm = SMALL_LSTM | {"bidirectional": fusion in ("concat", "gated")}
    CASES[f"lstm_{fusion}"] = small("lstm", fusion, 2 if fusion == "concat" else 1, seed, lstm=lstm)
    if fusion != "concat":
        CASES[f"hybrid_{fusion}"] = small("hybrid", fusion, 1, seed, cnn=SMALL_CNN, lstm=SMALL_LSTM)


def record(spec, batch, seed):
    """One pass and its gradients, as a dictionary of tensors."""
    torch.manual_seed(seed)
    module = network(spec)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += SHAKE * torch.randn_like(parameter)
    inputs = [torch.randn(batch, shape["length"], shape["features"]) for shape in spec["inputs"]]
    features = []
    module.fuse.register_forward_hook(lambda _module, _inputs, output: features.append(output))
    outputs = dict(zip((head["name"] for head in spec["heads"]), module(inputs)))
    upstreams = {name: torch.randn_like(output) / output.numel() for name, output in outputs.items()}
    sum((outputs[name] * upstreams[name]).sum() for name in outputs).backward()

    tensors = {f"input/{timeframe}": window for timeframe, window in enumerate(inputs)}
    tensors |= {f"upstream/{name}": upstream for name, upstream in upstreams.items()}
    tensors |= {f"output/{name}": output for name, output in outputs.items()}
    tensors["output/features"] = features[0]
    for name, parameter in module.named_parameters():
        tensors[f"weight/{our_name(name)}"] = parameter
        tensors[f"gradient/{our_name(name)}"] = parameter.grad
    return {name: tensor.detach().contiguous() for name, tensor in tensors.items()}


AUTOCAST = ["hybrid_three_timeframes", "hybrid_bidirectional", "hybrid_attention", "cnn_bilinear", "lstm_gated"]
AUTOCAST_KINDS = {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}


def head_losses(spec, outputs, tensors):
    for head, output in zip(spec["heads"], outputs):
        upstream = tensors[f"upstream/{head['name']}"]
        if "classification" in head["kind"]:
            classes = head["kind"]["classification"]["classes"]
            labels = upstream.reshape(-1, classes).argmax(1)
            yield functional.cross_entropy(output.float().reshape(-1, classes), labels).item()
        else:
            yield functional.huber_loss(output.float(), upstream * upstream.numel()).item()


def autocast():
    """The losses of some cases by kind of number."""
    cases = {}
    for name in AUTOCAST:
        spec, tensors = CASES[name]["spec"], record(**CASES[name])
        module = network(spec)
        with torch.no_grad():
            for theirs, parameter in module.named_parameters():
                parameter.copy_(tensors[f"weight/{our_name(theirs)}"])
        inputs = [tensors[f"input/{timeframe}"] for timeframe in range(len(spec["inputs"]))]
        cases[name] = {}
        for kind, dtype in AUTOCAST_KINDS.items():
            if kind == "fp16" and spec["model"]["kind"] != "cnn":
                continue  # PyTorch has no LSTM under autocast to float16 on a CPU: oneDNN refuses it
            with torch.autocast("cpu", dtype=dtype, enabled=dtype is not None):
                outputs = module(inputs)
            cases[name][kind] = list(head_losses(spec, outputs, tensors))
    return cases


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
        path = GOLDEN / f"{name}.safetensors"
        tensors = record(**case)
        if check:
            faults += differences(path, tensors)
        else:
            GOLDEN.mkdir(parents=True, exist_ok=True)
            save_file(tensors, path, metadata={"spec": json.dumps(case["spec"])})
            print(f"{path.relative_to(ROOT)}: {len(tensors)} tensors, {path.stat().st_size} bytes")
    path, found = GOLDEN / "autocast.json", autocast()
    if check:
        stored = json.loads(path.read_text())
        for name, kinds in found.items():
            for kind, losses in kinds.items():
                distance = max(abs(one - other) for one, other in zip(losses, stored[name][kind]))
                # Which kernel rounds half precision depends on the processor.
                if not distance <= (CHECK_TOLERANCE if kind == "fp32" else 1e-2):
                    faults.append(f"autocast.json: {name} in {kind} differs by {distance:.1e}")
    else:
        path.write_text(json.dumps(found, indent=1) + "\n")
    for fault in faults:
        print(fault)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
