"""Golden values for `crates/trainer`, from PyTorch: its schedulers, its losses on the valid cells alone, its optimisers, the
gradients of uncertainty balancing, its loss scaler, its averaged weights, the losses of distributions and of smoothed and focal
classes; and class weights from sums written out.

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
from torch.optim.lr_scheduler import ChainedScheduler, CosineAnnealingLR, LinearLR, ReduceLROnPlateau, SequentialLR, StepLR

FOLDER = Path(__file__).resolve().parent.parent / "crates" / "trainer" / "tests" / "golden"
CHECK_TOLERANCE = 1e-7


def schedule():
    """Learning rates of every step, as the optimiser sees them."""
    cases = []

    def add(peak, epochs, steps_per_epoch, scheduler, make, history=()):
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=peak)
        warmup = scheduler["warmup_epochs"] * steps_per_epoch
        # The last step of the warm-up has the peak rate.
        linear = LinearLR(optimizer, start_factor=1 / warmup, total_iters=warmup - 1) if warmup else None
        by_step, by_epoch = make(optimizer, linear, warmup)
        rates = []
        for epoch in range(epochs):
            for _ in range(steps_per_epoch):
                rates.append(optimizer.param_groups[0]["lr"])
                optimizer.step()
                if by_step:
                    by_step.step()
            if by_epoch:
                by_epoch.step(history[epoch])
        cases.append({
            "peak": peak, "epochs": epochs, "steps_per_epoch": steps_per_epoch, "scheduler": scheduler,
            "history": list(history), "rates": rates,
        })

    for peak, epochs, warmup_epochs, steps, low in [
        (1e-3, 5, 2, 4, 0.0), (2e-3, 3, 0, 7, 0.0), (0.5, 10, 1, 3, 0.0), (0.5, 6, 1, 5, 0.02),
    ]:
        def cosine(optimizer, linear, warmup):
            cosine = CosineAnnealingLR(optimizer, T_max=epochs * steps - warmup, eta_min=low)
            return (SequentialLR(optimizer, [linear, cosine], milestones=[warmup]) if linear else cosine), None

        add(peak, epochs, steps, {"kind": "cosine", "warmup_epochs": warmup_epochs, "min_rate": low}, cosine)

    for peak, epochs, warmup_epochs, steps, every, factor in [(1e-2, 9, 0, 4, 3, 0.1), (0.2, 8, 3, 5, 2, 0.5)]:
        def step(optimizer, linear, warmup):
            falls = StepLR(optimizer, step_size=every * steps, gamma=factor)
            return (ChainedScheduler([linear, falls]) if linear else falls), None

        scheduler = {"kind": "step", "warmup_epochs": warmup_epochs, "every_epochs": every, "factor": factor}
        add(peak, epochs, steps, scheduler, step)

    add(3e-3, 4, 5, {"kind": "constant", "warmup_epochs": 2}, lambda optimizer, linear, warmup: (linear, None))

    falling = [1.0, 0.9, 0.895, 0.89, 0.9, 0.91, 0.7, 0.71, 0.72, 0.73, 0.74, 0.75, 0.69, 0.69, 0.8, 0.8, 0.8, 0.8]
    for metric, sign, patience, min_delta, factor, low in [
        ("validation/loss", 1, 2, 0.0, 0.5, 0.0), ("validation/loss", 1, 1, 0.02, 0.1, 1e-4),
        ("validation/loss", 1, 0, 0.0, 0.3, 2e-3), ("validation/price_prediction/h1/rank_ic_series", -1, 2, 0.012, 0.5, 0.0),
    ]:
        def plateau(optimizer, linear, warmup):
            mode = "min" if sign > 0 else "max"
            return None, ReduceLROnPlateau(
                optimizer, mode, factor=factor, patience=patience, threshold=min_delta, threshold_mode="abs", min_lr=low, eps=0.0)

        scheduler = {
            "kind": "plateau", "warmup_epochs": 0, "metric": metric, "factor": factor, "patience": patience,
            "min_delta": min_delta, "min_rate": low,
        }
        add(1e-2, len(falling), 2, scheduler, plateau, [sign * value for value in falling])
    return cases


CLASSES = 4
TASKS = [
    {"kind": "huber", "horizons": 3, "weight": 1.0},
    {"kind": "mse", "horizons": 2, "weight": 0.5},
    {"kind": "cross_entropy", "horizons": 2, "weight": 0.3},
]


def mean_loss(task, output, target, mask):
    """The mean over the valid cells of one task, in its own unit; none where there is no valid cell."""
    if not mask.any():
        return None
    if task["kind"] == "cross_entropy":
        scores = output.reshape(*mask.shape, CLASSES)
        return functional.cross_entropy(scores[mask], target[mask])
    if task["kind"] == "huber":
        return functional.huber_loss(output[mask], target[mask], delta=1.0)
    return functional.mse_loss(output[mask], target[mask])


def batch_with_holes(batch, blind):
    """Output, target and mask of each task; number `blind` has no valid cell."""
    for number, task in enumerate(TASKS):
        is_classes = task["kind"] == "cross_entropy"
        shape = (batch, task["horizons"])
        output = (2 * torch.randn(batch, task["horizons"] * (CLASSES if is_classes else 1))).requires_grad_()
        mask = torch.rand(shape) >= (2.0 if number == blind else 0.3)
        target = torch.randint(CLASSES, shape) if is_classes else 2 * torch.randn(shape)
        yield task, output, target, mask


def recorded(task, output, target, mask, loss, gradient):
    return {
        "kind": task["kind"], "horizons": task["horizons"], "weight": task["weight"], "output": output.detach(),
        "target": (target * mask).float(), "mask": mask.float(), "loss": loss,
        "gradient": torch.zeros_like(output) if gradient is None else gradient,
    }


def scale(task):
    return math.log(CLASSES) if task["kind"] == "cross_entropy" else 1.0


def loss():
    """A batch with holes: for each task the mean over its valid cells, then the weighted sum, and the gradient."""
    torch.manual_seed(5)
    cases = []
    for blind in [None, 0, 1, 2]:
        parts = list(batch_with_holes(12, blind))
        total, losses = torch.zeros(()), []
        for task, output, target, mask in parts:
            mean = mean_loss(task, output, target, mask)
            losses.append(torch.zeros(()) if mean is None else mean.detach() / scale(task))
            if mean is not None:
                total = total + task["weight"] * mean / scale(task)
        gradients = torch.autograd.grad(total, [output for _, output, _, _ in parts], allow_unused=True)
        tasks = [recorded(*part, loss, gradient) for part, loss, gradient in zip(parts, losses, gradients)]
        cases.append({"batch": 12, "total": total.detach(), "tasks": tasks})
    return cases


def balance():
    """The same under learned uncertainties: the loss of Kendall, Gal and Cipolla, and its gradient by outputs and by log σ²."""
    torch.manual_seed(8)
    cases = []
    for blind, start in [(None, [0.0, 0.0, 0.0]), (None, [0.7, -1.3, 0.4]), (1, [0.2, 0.5, -0.6])]:
        parts = list(batch_with_holes(12, blind))
        log_variances = torch.tensor(start, requires_grad=True)
        total, losses = torch.zeros(()), []
        for s, (task, output, target, mask) in zip(log_variances, parts):
            mean = mean_loss(task, output, target, mask)
            losses.append(torch.zeros(()) if mean is None else mean.detach() / scale(task))
            if mean is not None:
                share = 1.0 if task["kind"] == "cross_entropy" else 0.5
                total = total + share * torch.exp(-s) * mean + 0.5 * s
        *gradients, by_log_variances = torch.autograd.grad(
            total, [output for _, output, _, _ in parts] + [log_variances], allow_unused=True)
        tasks = [recorded(*part, loss, gradient) for part, loss, gradient in zip(parts, losses, gradients)]
        cases.append({
            "batch": 12, "total": total.detach(), "tasks": tasks, "log_variances": start,
            "log_variances_gradient": by_log_variances,
        })
    return cases


def optimizer():
    """Five steps with a rate that changes; matrices decay, vectors do not."""
    torch.manual_seed(6)
    shapes, matrices = [[3, 4], [5], [2, 1, 3], [1, 1, 4], [1, 3]], [True, False, True, False, True]
    adam = {"learning_rate": 1e-2, "weight_decay": 1e-2, "betas": [0.9, 0.999], "epsilon": 1e-8}
    other = {"learning_rate": 1e-2, "weight_decay": 0.2, "betas": [0.8, 0.95], "epsilon": 1e-3}
    sgd = {"learning_rate": 1e-2, "weight_decay": 0.1}
    cases = []
    for spec in [
        {"kind": "adamw", "decay": "matrices_only", **adam}, {"kind": "adamw", "decay": "all", **other},
        {"kind": "adam", "decay": "matrices_only", **adam}, {"kind": "adam", "decay": "all", **other},
        {"kind": "sgd", "decay": "matrices_only", "momentum": 0.9, "nesterov": True, **sgd},
        {"kind": "sgd", "decay": "all", "momentum": 0.7, "nesterov": False, **sgd},
        {"kind": "sgd", "decay": "matrices_only", "momentum": 0.0, "nesterov": False, **sgd},
    ]:
        parameters = [torch.randn(shape).requires_grad_() for shape in shapes]
        start = [parameter.detach().clone() for parameter in parameters]
        decaying = [parameter for parameter, matrix in zip(parameters, matrices) if matrix or spec["decay"] == "all"]
        others = [parameter for parameter, matrix in zip(parameters, matrices) if not matrix and spec["decay"] != "all"]
        groups = [{"params": decaying, "weight_decay": spec["weight_decay"]}]
        groups += [{"params": others, "weight_decay": 0.0}] if others else []
        if spec["kind"] == "sgd":
            made = torch.optim.SGD(groups, lr=1.0, momentum=spec["momentum"], nesterov=spec["nesterov"])
        else:
            kind = torch.optim.AdamW if spec["kind"] == "adamw" else torch.optim.Adam
            made = kind(groups, lr=1.0, betas=tuple(spec["betas"]), eps=spec["epsilon"])
        steps = []
        for step in range(5):
            rate = 1e-2 * (step + 1) / 5
            for group in made.param_groups:
                group["lr"] = rate
            for parameter in parameters:
                parameter.grad = torch.randn(parameter.shape) * 10.0 ** (step % 3 - 1)
            gradients = [parameter.grad.clone() for parameter in parameters]
            made.step()
            moved = [parameter.detach().clone() for parameter in parameters]
            steps.append({"rate": rate, "gradients": gradients, "parameters": moved})
        cases.append({"optimizer": spec, "shapes": shapes, "start": start, "steps": steps})
    return cases


def class_weights():
    """Weights of classes with a mean of 1 over the samples, and a cross entropy under them."""
    counts = [410, 37, 1203, 1]
    total = sum(counts)

    def normalised(raw):
        mean = sum(weight * count for weight, count in zip(raw, counts)) / total
        return [weight / mean for weight in raw]

    effective = []
    for beta in [0.0, 0.9, 0.999, 0.999999]:
        # The sum that (1 − βⁿ) / (1 − β) is short for.
        numbers = [math.fsum(beta**i for i in range(count)) for count in counts]
        effective.append({"beta": beta, "weights": normalised([1 / number for number in numbers])})
    balanced = [total / (len(counts) * count) for count in counts]

    torch.manual_seed(9)
    output = torch.randn(20, CLASSES).requires_grad_()
    target, mask = torch.randint(CLASSES, (20, 1)), torch.rand(20, 1) >= 0.3
    of_class = torch.tensor(balanced)
    mean = functional.cross_entropy(output[mask[:, 0]], target[mask], weight=of_class) / math.log(CLASSES)
    [gradient] = torch.autograd.grad(mean, [output])
    batch = {
        "output": output.detach(), "target": (target * mask).float(), "weights": of_class[target] * mask,
        "loss": mean.detach(), "gradient": gradient,
    }
    return {"counts": counts, "balanced": balanced, "effective_number": effective, "batch": batch}


def grad_scaler():
    """Steps with finite and infinite gradients: unscale, clip, step, update. Scripted gradients, as if by autograd."""
    torch.manual_seed(12)
    cases = []
    for kind in ["adamw", "sgd"]:
        shapes = [[3, 2], [4]]
        parameters = [torch.randn(shape).requires_grad_() for shape in shapes]
        start = [parameter.detach().clone() for parameter in parameters]
        if kind == "adamw":
            made = torch.optim.AdamW(parameters, lr=1e-2, weight_decay=0.0)
        else:
            made = torch.optim.SGD(parameters, lr=1e-2, momentum=0.9, nesterov=True)
        scaler = torch.amp.GradScaler("cpu", init_scale=65536.0, growth_interval=3)
        steps = []
        for bad in [None, math.inf, None, None, None, None, math.nan, -math.inf, None, None, None, None]:
            true = [torch.randn(shape) * 3.0 for shape in shapes]
            if bad is not None:
                true[1][2] = bad
            loss = sum((parameter * gradient).sum() for parameter, gradient in zip(parameters, true))
            made.zero_grad()
            scaler.scale(loss).backward()
            scaled = [parameter.grad.clone() for parameter in parameters]
            scale = scaler.get_scale()
            scaler.unscale_(made)
            norm = torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            scaler.step(made)
            scaler.update()
            steps.append({
                "scale": scale, "gradients": [[repr(x) for x in g.flatten().tolist()] for g in scaled], "skipped": bad is not None,
                "norm": None if bad is not None else norm, "next_scale": scaler.get_scale(),
                "growth_tracker": scaler._get_growth_tracker(),
                "parameters": [parameter.detach().clone() for parameter in parameters],
            })
        cases.append({"kind": kind, "shapes": shapes, "start": start, "steps": steps})
    return cases


def average():
    """The average after each of ten updates, its decay following min(decay, (1 + t) / (10 + t)), t from 1."""
    torch.manual_seed(13)
    from torch.optim.swa_utils import AveragedModel

    cases = []
    for decay in [0.5, 0.99]:
        model = torch.nn.Linear(3, 2)
        updates = [0]

        def follow(averages, weights, _):
            kept = min(decay, (1 + updates[0]) / (10 + updates[0]))
            for mean, weight in zip(averages, weights):
                mean.lerp_(weight, 1 - kept)

        averaged = AveragedModel(model, multi_avg_fn=follow)
        averaged.update_parameters(model)  # the first call copies
        start = model.weight.detach().clone()
        steps = []
        for t in range(1, 11):
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter += torch.randn_like(parameter)
            updates[0] = t
            averaged.update_parameters(model)
            steps.append({"weight": model.weight.detach().clone(), "average": averaged.module.weight.detach().clone()})
        cases.append({"decay": decay, "start": start, "steps": steps})
    return cases


def heads():
    """Losses of distributions and of classes, and their gradients, over a batch with holes."""
    torch.manual_seed(14)
    batch, horizons = 9, 2

    def case(name, outputs, target, loss, parameter=None):
        output = (1.5 * torch.randn(batch, outputs)).requires_grad_()
        mask = torch.rand(batch, horizons) >= 0.3
        mean = loss(output)[mask].mean()
        [gradient] = torch.autograd.grad(mean, [output])
        return {
            "name": name, "parameter": parameter, "output": output.detach(), "target": (target * mask).float(), "mask": mask.float(),
            "loss": mean.detach(), "gradient": gradient,
        }

    target = 1.5 * torch.randn(batch, horizons)
    classes = torch.randint(CLASSES, (batch, horizons))

    def gaussian(output):
        mean, log_variance = output[:, :horizons], output[:, horizons:]
        nll = functional.gaussian_nll_loss(mean, target, log_variance.exp(), full=True, reduction="none")
        return nll / (0.5 * (1 + math.log(2 * math.pi)))

    def quantile(tail):
        def loss(output):
            median, below, above = output.split(horizons, 1)
            levels = torch.tensor([tail, 0.5, 1 - tail]).reshape(3, 1, 1)
            quantiles = torch.stack([median - functional.softplus(below), median, median + functional.softplus(above)])
            off = target - quantiles
            return 2 * torch.where(off >= 0, levels * off, (levels - 1) * off).mean(0)

        return loss

    def scores(output):
        return output.reshape(batch, horizons, CLASSES).transpose(1, 2)

    def smoothed(output):
        return functional.cross_entropy(scores(output), classes, label_smoothing=0.2, reduction="none") / math.log(CLASSES)

    def focal(gamma):
        def loss(output):
            entropy = functional.cross_entropy(scores(output), classes, reduction="none")
            true = torch.softmax(scores(output), 1).gather(1, classes.unsqueeze(1)).squeeze(1)
            return (1 - true) ** gamma * entropy / ((1 - 1 / CLASSES) ** gamma * math.log(CLASSES))

        return loss

    return [
        case("gaussian", 2 * horizons, target, gaussian),
        case("quantile", 3 * horizons, target, quantile(0.1), 0.1),
        case("quantile", 3 * horizons, target, quantile(0.3), 0.3),
        case("label_smoothing", CLASSES * horizons, classes, smoothed, 0.2),
        case("focal", CLASSES * horizons, classes, focal(2.0), 2.0),
        case("focal", CLASSES * horizons, classes, focal(0.5), 0.5),
    ]


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
    documents = [schedule, loss, balance, optimizer, class_weights, grad_scaler, average, heads]
    for name, make in [(make.__name__, make) for make in documents]:
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
