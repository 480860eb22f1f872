"""The networks in PyTorch's own modules, built from a spec as the Rust side reads it: what parity is measured against.

The branches, and the hybrid with its concatenation, are those of benches/peers/torch_hybrid.py. The other fusions and architectures
are written here, each as its formula reads, with no thought for speed.
"""
import itertools
import math
import pathlib
import sys

import torch
from torch import nn

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "benches/peers"))

from torch_hybrid import CnnBranch, Hybrid, LstmBranch  # noqa: E402

# Our name of each head, and the peer's.
HEADS = {"price_prediction": "price", "volatility_estimation": "vol", "regime_detection": "regime"}
FUSION_HEADS = 4
DROPOUT = 0.1

CNN = {"channels": 64, "kernel_sizes": [3, 5, 7], "dilations": [1, 2, 4], "attention_heads": 4}
LSTM = {"hidden_size": 128, "num_layers": 2, "bidirectional": False, "attention_heads": 4}


def head_width(kind):
    """The number of outputs of a head: one per horizon, or per horizon and class."""
    ((_, sizes),) = kind.items()
    return math.prod(sizes.values())


class Concat(nn.Sequential):
    def __init__(self, widths, out):
        super().__init__(nn.Linear(sum(widths), out), nn.GELU(), nn.LayerNorm(out), nn.Dropout(DROPOUT))

    def forward(self, branches):
        return super().forward(torch.cat(branches, 1))


class Gated(nn.Module):
    """A gated multimodal unit: for each feature, shares of the branches that sum to one."""
    def __init__(self, widths, out):
        super().__init__()
        self.project = nn.ModuleList([nn.Linear(width, out) for width in widths])
        if len(widths) > 1:
            self.gate = nn.Linear(sum(widths), len(widths) * out)
        self.norm, self.drop, self.out = nn.LayerNorm(out), nn.Dropout(DROPOUT), out

    def forward(self, branches):
        hidden = [torch.tanh(project(branch)) for project, branch in zip(self.project, branches)]
        if len(branches) == 1:
            return self.drop(self.norm(hidden[0]))
        powers = torch.exp(self.gate(torch.cat(branches, 1))).split(self.out, 1)
        fused = sum(power / sum(powers) * branch for power, branch in zip(powers, hidden))
        return self.drop(self.norm(fused))


class Attention(nn.Module):
    """The branches attend to each other, then lie side by side."""
    def __init__(self, widths, out):
        super().__init__()
        self.project = nn.ModuleList([nn.Linear(width, out) for width in widths])
        self.mha = nn.MultiheadAttention(out, FUSION_HEADS, batch_first=True)
        self.norm, self.join = nn.LayerNorm(out), Concat([out] * len(widths), out)

    def forward(self, branches):
        tokens = torch.stack([project(branch) for project, branch in zip(self.project, branches)], 1)
        looked = self.norm(tokens + self.mha(tokens, tokens, tokens, need_weights=False)[0])
        return self.join(list(looked.unbind(1)))


class Bilinear(nn.Module):
    """The branches and the products of their pairs."""
    def __init__(self, widths, out):
        super().__init__()
        self.project = nn.ModuleList([nn.Linear(width, out) for width in widths])
        self.mix, self.norm, self.drop = nn.Linear(out, out), nn.LayerNorm(out), nn.Dropout(DROPOUT)

    def forward(self, branches):
        factors = [torch.tanh(project(branch)) for project, branch in zip(self.project, branches)]
        pairs = [one * other for one, other in itertools.combinations(factors, 2)]
        return self.drop(self.norm(self.mix(sum(factors + pairs))))


FUSIONS = {"concat": Concat, "gated": Gated, "attention": Attention, "bilinear": Bilinear}


class Branched(nn.Module):
    """Branches, a fusion, heads; the names of the parameters are the Rust side's, but for the heads."""
    def __init__(self, spec):
        super().__init__()
        model = spec["model"]
        features = [shape["features"] for shape in spec["inputs"]]
        cnn, lstm = CNN | model.get("cnn", {}), LSTM | model.get("lstm", {})
        width = lstm["hidden_size"] * (2 if lstm["bidirectional"] else 1)

        def recurrent(features):
            return LstmBranch(features, lstm["hidden_size"], lstm["num_layers"], lstm["bidirectional"], lstm["attention_heads"], DROPOUT)

        widths = []
        if model["kind"] != "lstm":
            self.cnn = nn.ModuleList([
                CnnBranch(f, cnn["channels"], cnn["kernel_sizes"], cnn["dilations"], cnn["attention_heads"], DROPOUT) for f in features
            ])
            widths += [cnn["channels"]] * len(features)
        if model["kind"] != "cnn":
            self.lstm = recurrent(features[0]) if model["kind"] == "hybrid" else nn.ModuleList(map(recurrent, features))
            widths += [width] * (1 if model["kind"] == "hybrid" else len(features))
        out = model["fusion"].get("output_size", 128)
        self.fuse = FUSIONS[model["fusion"].get("kind", "concat")](widths, out)
        self.heads = [HEADS[head["name"]] for head in spec["heads"]]
        for head in spec["heads"]:
            setattr(self, HEADS[head["name"]], nn.Linear(out, head_width(head["kind"])))

    def forward(self, xs):
        branches = [branch(x) for branch, x in zip(getattr(self, "cnn", []), xs)]
        if hasattr(self, "lstm"):
            lstms = self.lstm if isinstance(self.lstm, nn.ModuleList) else [self.lstm]
            branches += [branch(x) for branch, x in zip(lstms, xs)]
        features = self.fuse(branches)
        return tuple(getattr(self, name)(features) for name in self.heads)


def peer_hybrid(spec):
    """The peer's hybrid for a spec. It has one width of input and one number of heads; ours may differ by part."""
    cnn, lstm, fusion = CNN | spec["model"]["cnn"], LSTM | spec["model"]["lstm"], spec["model"]["fusion"]
    price, _, regime = (head_width(head["kind"]) for head in spec["heads"])
    channels, kernels, dilations, heads = (cnn[key] for key in ("channels", "kernel_sizes", "dilations", "attention_heads"))
    module = Hybrid(
        n_tf=len(spec["inputs"]), f=spec["inputs"][0]["features"], c=channels, kernels=kernels, dilations=dilations,
        hidden=lstm["hidden_size"], layers=lstm["num_layers"], bidir=lstm["bidirectional"],
        heads=heads, out=fusion["output_size"], horizons=price, regimes=regime,
    )
    for timeframe, shape in enumerate(spec["inputs"]):
        module.cnn[timeframe] = CnnBranch(shape["features"], channels, kernels, dilations, heads, DROPOUT)
    pool = module.lstm.pool.mha
    pool.num_heads = lstm["attention_heads"]
    pool.head_dim = pool.embed_dim // pool.num_heads
    return module


def network(spec):
    """The module for a spec, in evaluation mode."""
    benchmarked = spec["model"]["kind"] == "hybrid" and spec["model"]["fusion"].get("kind", "concat") == "concat"
    return (peer_hybrid(spec) if benchmarked else Branched(spec)).eval()


def our_name(name):
    """The Rust side's name of one of the module's parameters: the same, but for the heads."""
    ours = {peer_name: name for name, peer_name in HEADS.items()}
    first, *rest = name.split(".")
    return ".".join([ours.get(first, first), *rest])
