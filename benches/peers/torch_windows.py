"""The windows of configs/bench/hybrid.yaml as a PyTorch user gathers them: a Dataset that slices numpy arrays, and a DataLoader.

Reads what `measure windows --export DIR` wrote. First it gathers one batch and compares it, number by number, with ours; the
channels that we write into a window after its rows were copied (recency, age) are not asked of it. Then it times whole epochs.
Prints one JSON line.
"""
import argparse, json, pathlib, resource, time
import numpy as np
import torch


class Windows(torch.utils.data.Dataset):
    def __init__(self, folder):
        about = json.loads((folder / "description.json").read_text())
        read = lambda name, kind: np.fromfile(folder / name, kind)
        self.n, self.timeframes, self.batch = about["samples"], about["timeframes"], about["batch"]
        self.tables = [read(f"table_{k}", np.float32).reshape(-1, t["channels"]) for k, t in enumerate(self.timeframes)]
        self.ends = [read(f"ends_{k}", np.uint32).astype(np.int64) for k in range(len(self.timeframes))]
        self.targets = np.stack([read(f"target_{k}", np.float32) for k in range(about["labels"])], 1)
        self.masks = np.stack([read(f"mask_{k}", np.float32) for k in range(about["labels"])], 1)

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        xs = [torch.from_numpy(a[e[i] + 1 - t["length"]:e[i] + 1]) for a, e, t in zip(self.tables, self.ends, self.timeframes)]
        return xs, torch.from_numpy(self.targets[i]), torch.from_numpy(self.masks[i])


def same(windows, folder):
    """Do we gather what Tapeline gathered?"""
    xs, _, _ = torch.utils.data.default_collate([windows[i] for i in windows.batch])
    for k, (x, t) in enumerate(zip(xs, windows.timeframes)):
        theirs = np.fromfile(folder / f"batch_{k}", np.float32).reshape(x.shape)
        copied = [c for c in range(t["channels"]) if c not in t["written_by_us"]]
        if not np.array_equal(x.numpy()[..., copied], theirs[..., copied]):
            return False
    return True


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("folder", type=pathlib.Path)
    ap.add_argument("--batch", type=int, default=32)
    ap.add_argument("--workers", type=int, default=0)
    ap.add_argument("--epochs", type=int, default=3)
    ap.add_argument("--threads", type=int, default=2)
    a = ap.parse_args()
    torch.set_num_threads(a.threads)
    windows = Windows(a.folder)
    loader = torch.utils.data.DataLoader(windows, a.batch, shuffle=True, num_workers=a.workers, persistent_workers=a.workers > 0)
    for _ in loader:            # starts the workers
        pass
    best = float("inf")
    for _ in range(a.epochs):
        begin = time.perf_counter()
        for _ in loader:
            pass
        best = min(best, time.perf_counter() - begin)
    print(json.dumps({"windows_per_s": len(windows) * len(windows.timeframes) / best, "same": same(windows, a.folder),
                      "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


if __name__ == "__main__":
    main()
