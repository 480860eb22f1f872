"""Golden values for `crates/trainer`, from PyTorch: its schedulers, its losses on the valid cells alone, its AdamW.

  pip install torch==2.11.0 numpy
  python scripts/golden_trainer.py            # writes crates/trainer/tests/golden/*.json
  python scripts/golden_trainer.py --check    # exit 1 where a number differs from what would be written by more than 1e-7
"""
import json
import math
import sys
from pathlib import Path

import torch
from torch.nn import functional
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, SequentialLR

FOLDER = Path(__file__).resolve().parent.parent / "crates" / "trainer" / "tests" / "golden"
CHECK_TOLERANCE = 1e-7


def schedule():
    """Learning rates of every step, as the optimiser sees them."""
    cases = []
    for peak, epochs, warmup_epochs, steps_per_epoch in [(1e-3, 5, 2, 4), (2e-3, 3, 0, 7), (0.5, 10, 1, 3)]:
        warmup, total = warmup_epochs * steps_per_epoch, epochs * steps_per_epoch
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=peak)
        cosine = CosineAnnealingLR(optimizer, T_max=total - warmup)
        scheduler = cosine
        if warmup:
            linear = LinearLR(optimizer, start_factor=1 / warmup, total_iters=warmup - 1)
            scheduler = SequentialLR(optimizer, [linear, cosine], milestones=[warmup])
        rates = []
        for _ in range(total):
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
        cases.append({
            "peak": peak, "epochs": epochs, "warmup_epochs": warmup_epochs, "steps_per_epoch": steps_per_epoch,
            "rates": rates,
        })
    return cases


def loss():
    """A batch with holes: for each task the mean over its valid cells, then the weighted sum, and the gradient."""
    torch.manual_seed(5)
    batch, classes = 12, 4
    tasks = [
        {"kind": "huber", "horizons": 3, "weight": 1.0, "absent": 0.3},
        {"kind": "mse", "horizons": 2, "weight": 0.5, "absent": 0.3},
        {"kind": "cross_entropy", "horizons": 2, "weight": 0.3, "absent": 0.3},
    ]
    cases = []
    for blind in [None, 0, 1, 2]:
        total, recorded = torch.zeros(()), []
        outputs = []
        for number, task in enumerate(tasks):
            width = task["horizons"] * (classes if task["kind"] == "cross_entropy" else 1)
            output = (2 * torch.randn(batch, width)).requires_grad_()
            mask = torch.rand(batch, task["horizons"]) >= task["absent"]
            if number == blind:
                mask = torch.zeros_like(mask)
            if task["kind"] == "cross_entropy":
                target = torch.randint(classes, (batch, task["horizons"]))
                scores = output.reshape(batch, task["horizons"], classes)
                mean = functional.cross_entropy(scores[mask], target[mask]) / math.log(classes)
            elif task["kind"] == "huber":
                target = 2 * torch.randn(batch, task["horizons"])
                mean = functional.huber_loss(output[mask], target[mask], delta=1.0)
            else:
                target = 2 * torch.randn(batch, task["horizons"])
                mean = functional.mse_loss(output[mask], target[mask])
            if number == blind:
                mean = torch.zeros(())
            else:
                total = total + task["weight"] * mean
            outputs.append(output)
            recorded.append({
                "kind": task["kind"], "horizons": task["horizons"], "weight": task["weight"],
                "output": output.detach(), "target": (target * mask).float(), "mask": mask.float(), "loss": mean.detach(),
            })
        gradients = torch.autograd.grad(total, outputs, allow_unused=True)
        for task, output, gradient in zip(recorded, outputs, gradients):
            task["gradient"] = torch.zeros_like(output) if gradient is None else gradient
        cases.append({"batch": batch, "total": total.detach(), "tasks": recorded})
    return cases


def adamw():
    """Ten steps with a rate that changes."""
    torch.manual_seed(6)
    shapes = [[3, 4], [5], [2, 1, 3]]
    decay = 1e-2
    parameters = [torch.randn(shape).requires_grad_() for shape in shapes]
    start = [parameter.detach().clone() for parameter in parameters]
    optimizer = torch.optim.AdamW(parameters, lr=1.0, weight_decay=decay, betas=(0.9, 0.999), eps=1e-8)
    steps = []
    for step in range(10):
        rate = 1e-2 * (step + 1) / 10
        optimizer.param_groups[0]["lr"] = rate
        for parameter in parameters:
            parameter.grad = torch.randn(parameter.shape) * 10.0 ** (step % 3 - 1)
        gradients = [parameter.grad.clone() for parameter in parameters]
        optimizer.step()
        steps.append({
            "rate": rate, "gradients": gradients, "parameters": [parameter.detach().clone() for parameter in parameters],
        })
    return {"weight_decay": decay, "shapes": shapes, "start": start, "steps": steps}


def plain(value):
    """Tensors as flat lists, or numbers where they have no axis."""
    if isinstance(value, torch.Tensor):
        return value.flatten().tolist() if value.dim() else value.item()
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def same(found, expected):
    """True where two documents have one shape and their numbers differ by no more than the tolerance."""
    if isinstance(expected, dict):
        return isinstance(found, dict) and found.keys() == expected.keys() and all(
            same(found[key], item) for key, item in expected.items())
    if isinstance(expected, list):
        return isinstance(found, list) and len(found) == len(expected) and all(map(same, found, expected))
    if isinstance(expected, (int, float)):
        return abs(found - expected) <= CHECK_TOLERANCE * max(1.0, abs(expected))
    return found == expected


def main():
    differs = False
    for name, make in [("schedule", schedule), ("loss", loss), ("adamw", adamw)]:
        path, value = FOLDER / f"{name}.json", plain(make())
        if "--check" in sys.argv[1:]:
            if not path.exists() or not same(json.loads(path.read_text()), value):
                print(f"{path} is not what this script makes")
                differs = True
        else:
            FOLDER.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(value) + "\n")
    sys.exit(differs)


if __name__ == "__main__":
    main()
