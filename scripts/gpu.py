"""What a GPU makes of it: the tests that need one, a short run, and the training step beside PyTorch's, as one table.

  ./run.sh                       # in the folder that `cargo xtask gpu-bundle` made, on a machine with a GPU

Needs Python with torch 2.11 and numpy, nothing else. Ends with exit code 1 if anything failed.
"""
import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
BATCHES = (32, 256, 1024)
# ours, PyTorch's word for it
PRECISIONS = (("fp32", "off"), ("bf16", "bf16"), ("fp16", "fp16"))


def environment():
    try:
        import torch
    except ImportError:
        sys.exit(f"{sys.executable} has no torch; give another by PYTHON=…, with torch 2.11 and numpy")
    if not torch.__version__.startswith("2.11."):
        sys.exit(f"torch 2.11 is needed, and this is {torch.__version__}")
    if not torch.cuda.is_available():
        sys.exit("torch finds no GPU here")
    lib = Path(torch.__file__).parent / "lib"
    # The CUDA libraries lie in wheels of their own beside torch, each in a folder.
    nvidia = sorted(str(folder) for folder in lib.parent.parent.glob("nvidia/*/lib"))
    told = dict(os.environ, LD_LIBRARY_PATH=":".join([str(lib), *nvidia]), TAPELINE_GPU="required")
    return told, f"{torch.cuda.get_device_name(0)}, CUDA {torch.version.cuda}, torch {torch.__version__}"


def last_json(command, told):
    """The last line that is JSON of what a program prints; None, with what it complained about, when it fails."""
    done = subprocess.run([str(word) for word in command], env=told, capture_output=True, text=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        print(f"failed: {' '.join(str(word) for word in command)}\n{done.stderr[-2000:]}", file=sys.stderr)
        return None
    return json.loads(lines[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=300)
    steps = ["--warm-up", "50", "--steps", str(parser.parse_args().steps)]
    told, machine = environment()
    failed = False
    print(machine)

    tests = subprocess.run([HERE / "bin/trainer-tests", "cuda::", "--nocapture", "--test-threads", "1"], env=told)
    failed |= tests.returncode != 0
    train = [HERE / "bin/tapeline", "train", "--config", HERE / "configs/quickstart.yaml", "--set", "device=cuda",
             "--set", "training.num_epochs=1", "--set", f"output={HERE / 'runs'}", "--set", f"registry={HERE / 'registry'}"]
    run = subprocess.run([str(word) for word in train], env=told)
    failed |= run.returncode != 0

    rows = []
    for batch in BATCHES:
        for ours, theirs in PRECISIONS:
            own = last_json([HERE / "bin/measure", "step", "--device", "cuda", "--precision", ours, "--batch", batch, *steps], told)
            peer = last_json([sys.executable, HERE / "torch_hybrid.py", "--device", "cuda", "--amp", theirs, "--batch", batch,
                              "--samples", max(4096, 4 * batch), "--fused", *steps], dict(os.environ))
            failed |= own is None or peer is None
            rows.append((batch, ours, own and own["mean_samples_per_s"], peer and peer["samples_per_s"]))

    print(f"\n| batch | precision | ours, samples/s | PyTorch, samples/s | ours is |\n|---|---|---|---|---|")
    for batch, precision, own, peer in rows:
        figures = [f"{value:,.0f}" if value else "failed" for value in (own, peer)]
        ratio = f"{own / peer:.2f}×" if own and peer else "–"
        print(f"| {batch} | {precision} | {figures[0]} | {figures[1]} | {ratio} |")
    print(f"\ntests: {'passed' if tests.returncode == 0 else 'FAILED'}; a run of one epoch: "
          f"{'trained' if run.returncode == 0 else 'FAILED'}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
