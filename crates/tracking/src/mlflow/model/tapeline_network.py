"""A trained extractor of Tapeline for mlflow.pyfunc, in NumPy: the forward pass and nothing else.

`predict` takes the scaled windows of each timeframe, float32 of shape [batch, time, feature]: a list in the order of the
artefact's inputs, a dictionary with the keys "input.0", "input.1", ..., or one array where there is one timeframe. It gives
a dictionary: each head's outputs by its name ([batch, horizon], or [batch, horizon * class] as logits), and "features"
[batch, feature], what the branches were fused into.
"""
import json
import math
import pathlib
import struct

import numpy as np

FUSION_HEADS = 4
EPSILON = 1e-5


def tensors(path):
    """The tensors of a safetensors file of 32-bit floats, by name."""
    data = pathlib.Path(path).read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header, body = json.loads(data[8:8 + length]), data[8 + length:]
    header.pop("__metadata__", None)
    read = {}
    for name, entry in header.items():
        if entry["dtype"] != "F32":
            raise ValueError(f"{path}: {name} is {entry['dtype']}, expected F32")
        begin, end = entry["data_offsets"]
        read[name] = np.frombuffer(body[begin:end], np.float32).reshape(entry["shape"])
    return read


def gelu(x):
    erf = np.frompyfunc(math.erf, 1, 1)
    return x * 0.5 * (1.0 + erf(x / math.sqrt(2.0)).astype(x.dtype))


def sigmoid(x):
    return 0.5 * (1.0 + np.tanh(0.5 * x))


def softmax(x, axis):
    powers = np.exp(x - x.max(axis, keepdims=True))
    return powers / powers.sum(axis, keepdims=True)


def normalised(x, axes):
    mean = x.mean(axes, keepdims=True)
    return (x - mean) / np.sqrt(((x - mean) ** 2).mean(axes, keepdims=True) + EPSILON)


class Network:
    def __init__(self, folder):
        folder = pathlib.Path(folder)
        self.spec = json.loads((folder / "artefact.json").read_text())["network"]
        self.weights = {name: array.astype(np.float64) for name, array in tensors(folder / "weights.safetensors").items()}

    def __call__(self, inputs):
        shapes = self.spec["inputs"]
        if len(inputs) != len(shapes):
            raise ValueError(f"expected windows of {len(shapes)} timeframes, got {len(inputs)}")
        arrays = []
        for place, (array, shape) in enumerate(zip(inputs, shapes)):
            array = np.asarray(array, np.float64)
            if array.ndim != 3 or array.shape[1:] != (shape["length"], shape["features"]):
                raise ValueError(
                    f"input.{place}: expected [batch, {shape['length']}, {shape['features']}], got {list(array.shape)}"
                )
            arrays.append(array)
        model = self.spec["model"]
        branches = []
        if model["kind"] != "lstm":
            branches += [self.cnn(f"cnn.{place}", x, model["cnn"]) for place, x in enumerate(arrays)]
        if model["kind"] == "hybrid":
            branches.append(self.lstm("lstm", arrays[0], model["lstm"]))
        elif model["kind"] == "lstm":
            branches += [self.lstm(f"lstm.{place}", x, model["lstm"]) for place, x in enumerate(arrays)]
        features = self.fuse(branches, model["fusion"]["kind"])
        said = {head["name"]: self.linear(head["name"], features) for head in self.spec["heads"]}
        return {name: array.astype(np.float32) for name, array in {**said, "features": features}.items()}

    def linear(self, name, x):
        return x @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]

    def affine(self, name, x):
        return x * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]

    def cnn(self, name, x, spec):
        x = x @ self.weights[f"{name}.stem.weight"][:, :, 0].T + self.weights[f"{name}.stem.bias"]
        for block, dilation in enumerate(spec["dilations"]):
            part = f"{name}.blocks.{block}"
            convs = range(len(spec["kernel_sizes"]))
            hidden = np.concatenate([self.conv(f"{part}.convs.{conv}", x, dilation) for conv in convs], 2)
            hidden = gelu(self.affine(f"{part}.norm", normalised(hidden, (1, 2))))
            x = x + hidden @ self.weights[f"{part}.mix.weight"][:, :, 0].T + self.weights[f"{part}.mix.bias"]
        return self.pool(f"{name}.pool", x, spec["attention_heads"])

    def conv(self, name, x, dilation):
        weight, bias = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
        size, length = weight.shape[2], x.shape[1]
        padded = np.pad(x, ((0, 0), ((size - 1) // 2 * dilation,) * 2, (0, 0)))
        taps = (padded[:, tap * dilation:tap * dilation + length] @ weight[:, :, tap].T for tap in range(size))
        return sum(taps) + bias

    def lstm(self, name, x, spec):
        for layer in range(spec["num_layers"]):
            ways = [self.recur(f"{name}.lstm", f"l{layer}", x)]
            if spec["bidirectional"]:
                ways.append(self.recur(f"{name}.lstm", f"l{layer}_reverse", x[:, ::-1])[:, ::-1])
            x = np.concatenate(ways, 2)
        x = self.affine(f"{name}.norm", normalised(x, (2,)))
        return self.pool(f"{name}.pool", x, spec["attention_heads"])

    def recur(self, name, layer, x):
        of_input, of_state = (self.weights[f"{name}.weight_{part}_{layer}"] for part in ("ih", "hh"))
        bias = self.weights[f"{name}.bias_ih_{layer}"] + self.weights[f"{name}.bias_hh_{layer}"]
        hidden = np.zeros((len(x), of_state.shape[1]))
        cell, said = hidden, []
        for bar in range(x.shape[1]):
            gates = np.split(x[:, bar] @ of_input.T + hidden @ of_state.T + bias, 4, 1)
            cell = sigmoid(gates[1]) * cell + sigmoid(gates[0]) * np.tanh(gates[2])
            hidden = sigmoid(gates[3]) * np.tanh(cell)
            said.append(hidden)
        return np.stack(said, 1)

    def attend(self, name, query, x, heads):
        """Multi-head attention of [batch, query, channel] over [batch, time, channel]."""
        projection, bias = self.weights[f"{name}.in_proj_weight"], self.weights[f"{name}.in_proj_bias"]
        parts = zip((query, x, x), np.split(projection, 3), np.split(bias, 3))
        split = [(array @ weight.T + bias).reshape(len(x), -1, heads, x.shape[2] // heads) for array, weight, bias in parts]
        query, key, value = (array.transpose(0, 2, 1, 3) for array in split)
        weights = softmax(query @ key.transpose(0, 1, 3, 2) / math.sqrt(query.shape[3]), 3)
        looked = (weights @ value).transpose(0, 2, 1, 3).reshape(len(x), -1, x.shape[2])
        return self.linear(f"{name}.out_proj", looked)

    def pool(self, name, x, heads):
        query = np.broadcast_to(self.weights[f"{name}.q"].reshape(1, 1, -1), (len(x), 1, x.shape[2]))
        return self.attend(f"{name}.mha", query, x, heads)[:, 0]

    def joined(self, name, branches):
        """Linear, GELU, norm: how branches side by side become features."""
        return self.affine(f"{name}.2", normalised(gelu(self.linear(f"{name}.0", np.concatenate(branches, 1))), (1,)))

    def fuse(self, branches, kind):
        if kind == "concat":
            return self.joined("fuse", branches)
        hidden = np.stack([self.linear(f"fuse.project.{place}", branch) for place, branch in enumerate(branches)], 1)
        if kind == "gated":
            hidden = np.tanh(hidden)
            if len(branches) > 1:
                gates = self.linear("fuse.gate", np.concatenate(branches, 1)).reshape(hidden.shape)
                hidden = softmax(gates, 1) * hidden
            return self.affine("fuse.norm", normalised(hidden.sum(1), (1,)))
        if kind == "attention":
            looked = hidden + self.attend("fuse.mha", hidden, hidden, FUSION_HEADS)
            looked = self.affine("fuse.norm", normalised(looked, (2,)))
            return self.joined("fuse.join", list(looked.transpose(1, 0, 2)))
        if kind == "bilinear":
            factors = list(np.tanh(hidden).transpose(1, 0, 2))
            pairs = [one * other for place, one in enumerate(factors) for other in factors[place + 1:]]
            return self.affine("fuse.norm", normalised(self.linear("fuse.mix", sum(factors + pairs)), (1,)))
        raise ValueError(f"this loader does not know the fusion {kind!r}; use the one of a newer Tapeline")


class Model:
    def __init__(self, folder):
        self.network = Network(folder)

    def predict(self, data, params=None):
        if isinstance(data, dict):
            data = [data[f"input.{place}"] for place in range(len(self.network.spec["inputs"]))]
        elif isinstance(data, np.ndarray) and data.ndim == 3:
            data = [data]
        return self.network(data)


def _load_pyfunc(path):
    """What mlflow.pyfunc calls with the folder of the artefact."""
    return Model(path)
