"""Loads a model by its address and holds what it says against the golden outputs that lie beside its weights."""
import sys

import mlflow
import numpy as np

address, tolerance = sys.argv[1], float(sys.argv[2])
folder = mlflow.artifacts.download_artifacts(artifact_uri=address)
model = mlflow.pyfunc.load_model(folder)

from tapeline_network import tensors  # noqa: E402: the model brings it along

golden = tensors(f"{folder}/artefact/golden.safetensors")
inputs = {name: array for name, array in golden.items() if name.startswith("input.")}
outputs = {name.removeprefix("output."): array for name, array in golden.items() if name.startswith("output.")}
said = model.predict(inputs)
assert outputs and set(outputs) | {"features"} == set(said), (sorted(outputs), sorted(said))
for name, expected in outputs.items():
    difference = float(np.abs(said[name] - expected).max())
    print(f"{name}: {expected.shape}, differs by {difference:.1e}")
    assert said[name].shape == expected.shape and difference <= tolerance, name
print("golden outputs agree")
