"""Golden values for `crates/evaluation`, from code that shares nothing with it: scipy, scikit-learn, and numpy formulas
written in another shape (matrices where the crate runs sums).

  pip install numpy scipy scikit-learn
  python scripts/golden_evaluation.py            # writes crates/evaluation/tests/golden/*.json
  python scripts/golden_evaluation.py --check    # exit 1 where a file differs from what would be written
"""
import json
import sys
from pathlib import Path

import numpy as np
from scipy import special, stats
from sklearn import linear_model, metrics

FOLDER = Path(__file__).resolve().parent.parent / "crates" / "evaluation" / "tests" / "golden"


def pairs(rng):
    """Forecasts beside outcomes, with ties in both and some zeros."""
    rows = 80
    forecast = np.round(rng.standard_normal(rows), 1)
    realised = np.round(0.4 * forecast + rng.standard_normal(rows), 1)
    train_mean, delta = 0.13, 0.7
    called = (forecast != 0) & (realised != 0)
    up, said_up = realised[called] > 0, forecast[called] > 0
    n = called.sum()
    chance = up.mean() * said_up.mean() + (1 - up.mean()) * (1 - said_up.mean())
    var_chance = (
        (2 * up.mean() - 1) ** 2 * said_up.var() / n
        + (2 * said_up.mean() - 1) ** 2 * up.var() / n
        + 4 * up.var() * said_up.var() / n**2
    )
    return {
        "forecast": forecast,
        "realised": realised,
        "train_mean": train_mean,
        "delta": delta,
        "pearson": stats.pearsonr(forecast, realised).statistic,
        "spearman": stats.spearmanr(forecast, realised).statistic,
        "ranks": stats.rankdata(forecast),
        "mae": metrics.mean_absolute_error(realised, forecast),
        "mse": metrics.mean_squared_error(realised, forecast),
        "rmse": metrics.root_mean_squared_error(realised, forecast),
        "huber": special.huber(delta, realised - forecast).mean(),
        "r2_zero": 1 - np.dot(realised - forecast, realised - forecast) / np.dot(realised, realised),
        "r2_mean": 1 - metrics.mean_squared_error(realised, forecast) / np.mean((realised - train_mean) ** 2),
        "accuracy": metrics.accuracy_score(up, said_up),
        "called": int(n),
        "pesaran_timmermann": ((up == said_up).mean() - chance)
        / np.sqrt(chance * (1 - chance) / n - var_chance),
    }


def cross_section(rng):
    """12 series × 24 periods with holes: periods under 10 series and one with a constant forecast are undefined."""
    rows = [(s, t) for t in range(24) for s in range(12) if rng.random() > 0.15]
    series, time = np.array(rows).T
    forecast = rng.standard_normal(len(rows))
    realised = 0.3 * forecast + rng.standard_normal(len(rows))
    forecast[time == 5] = 0.25
    shuffled = rng.permutation(len(rows))
    series, time, forecast, realised = (column[shuffled] for column in (series, time, forecast, realised))

    def over(groups, correlation, least):
        values = []
        for group in np.unique(groups):
            f, y = forecast[groups == group], realised[groups == group]
            undefined = len(f) < least or np.ptp(f) == 0
            values.append(None if undefined else correlation(f, y).statistic)
        return values

    result = {"series": series, "time": time, "forecast": forecast, "realised": realised}
    for name, correlation in (("pearson", stats.pearsonr), ("rank", stats.spearmanr)):
        by_period = over(time, correlation, 10)
        defined = np.array([value for value in by_period if value is not None])
        by_series = over(series, correlation, 2)
        lag, centred = 4, defined - defined.mean()
        distance = np.abs(np.subtract.outer(np.arange(len(defined)), np.arange(len(defined))))
        bartlett = np.clip(1 - distance / (lag + 1), 0, None)
        error = np.sqrt(centred @ bartlett @ centred) / len(defined)
        result[name] = {
            "by_period": by_period,
            "mean": defined.mean(),
            "icir": defined.mean() / defined.std(ddof=1),
            "hit_rate": (defined > 0).mean(),
            "undefined": sum(value is None for value in by_period),
            "newey_west_horizon": lag // 2,
            "newey_west_t": defined.mean() / error,
            "by_series": by_series,
            "series_mean": np.mean(by_series),
            "series_spread": np.std(by_series, ddof=1),
        }
    result["pooled"] = stats.pearsonr(forecast, realised).statistic
    return result


def classes(rng):
    """Five classes of which the last never occurs; probabilities that are sharper than they are right."""
    rows, kinds = 97, 5
    actual = rng.choice(4, rows, p=[0.5, 0.25, 0.15, 0.1])
    logits = rng.standard_normal((rows, kinds)) * 1.5
    logits[np.arange(rows), actual] += 1.0
    logits[:, 4] -= 20
    probabilities = np.round(special.softmax(logits, axis=1), 6)
    probabilities[:, 0] += 1 - probabilities.sum(axis=1)
    predicted = probabilities.argmax(axis=1)
    confidence, right = probabilities.max(axis=1), predicted == actual
    order = np.argsort(confidence)
    edges = [b * rows // 15 for b in range(16)]
    bins = [order[a:b] for a, b in zip(edges, edges[1:])]
    gaps = [len(b) / rows * abs(right[b].mean() - confidence[b].mean()) for b in bins]
    each = {"labels": range(kinds), "average": None, "zero_division": 0}
    return {
        "classes": kinds,
        "actual": actual,
        "predicted": predicted,
        "probabilities": probabilities.ravel(),
        "confusion": metrics.confusion_matrix(actual, predicted, labels=range(kinds)).ravel(),
        "accuracy": metrics.accuracy_score(actual, predicted),
        "precision": metrics.precision_score(actual, predicted, **each),
        "recall": metrics.recall_score(actual, predicted, **each),
        "f1": metrics.f1_score(actual, predicted, **each),
        "macro_f1": metrics.f1_score(actual, predicted, average="macro"),
        "mcc": metrics.matthews_corrcoef(actual, predicted),
        "brier": metrics.brier_score_loss(actual, probabilities, labels=range(kinds), scale_by_half=False),
        "log_loss": metrics.log_loss(actual, probabilities, labels=range(kinds)),
        "ece": sum(gaps),
    }


def variances(rng):
    """Variances of the size that 5-minute bars have, forecast with errors in the logarithm."""
    rows = 60
    realised = np.exp(-13 + rng.standard_normal(rows))
    forecast = realised * np.exp(0.5 * rng.standard_normal(rows))
    train_mean_log = -12.8
    squared_returns = 1e-6 * rng.standard_normal(200) ** 2
    decay, start = 0.94, 2e-6
    ages = np.arange(200)
    weights = np.tril((1 - decay) * decay ** np.clip(np.subtract.outer(ages, ages), 0, None))
    return {
        "forecast": forecast,
        "realised": realised,
        "train_mean_log": train_mean_log,
        "qlike": np.mean(realised / forecast - np.log(realised / forecast) - 1),
        "r2_log": 1
        - np.sum(np.log(realised / forecast) ** 2) / np.sum((np.log(realised) - train_mean_log) ** 2),
        "bias_ratio": forecast.mean() / realised.mean(),
        "squared_returns": squared_returns,
        "decay": decay,
        "start": start,
        "ewma_last": (weights @ squared_returns)[-1] + start * decay**200,
    }


def ridge(rng):
    rows, columns, penalty = 50, 6, 3.5
    x = rng.standard_normal((rows, columns)) @ rng.standard_normal((columns, columns)) + 2.0
    y = x @ rng.standard_normal(columns) + rng.standard_normal(rows) - 1.0
    fitted = linear_model.Ridge(alpha=penalty, solver="svd").fit(x, y)
    return {
        "x": x.ravel(),
        "columns": columns,
        "y": y,
        "penalty": penalty,
        "weights": fitted.coef_,
        "intercept": fitted.intercept_,
        "forecast": fitted.predict(x),
    }


def features(rng):
    """Features in f32 with one dead unit; the spectrum by singular values of the matrix, not eigenvalues of its covariance."""
    rows, dim = 60, 8
    x = (rng.standard_normal((rows, dim)) @ rng.standard_normal((dim, dim)) + 1.0).astype(np.float32)
    x[:, 3] = 0.5
    exact = x.astype(np.float64)
    singular = np.linalg.svd(exact - exact.mean(axis=0), compute_uv=False)
    singular = singular[singular > 1e-9 * singular[0]]
    return {
        "features": exact.ravel(),
        "dim": dim,
        "variance": exact.var(axis=0),
        "dead_share": 1 / dim,
        "effective_rank": np.exp(stats.entropy(singular / singular.sum())),
    }


def uniqueness(rng):
    """Spans as [start, end); the mean over its span of one over the column sums of the indicator matrix."""
    steps = 40
    starts = rng.integers(0, 34, 25)
    ends = starts + rng.integers(1, 7, 25)
    covers = (np.arange(steps) >= starts[:, None]) & (np.arange(steps) < ends[:, None])
    concurrency = covers.sum(axis=0)
    shares = np.where(covers, 1 / np.maximum(concurrency, 1), np.nan)
    return {
        "start": starts,
        "end": ends,
        "steps": steps,
        "concurrency": concurrency,
        "uniqueness": np.nanmean(shares, axis=1),
    }


def plain(value):
    if isinstance(value, np.ndarray):
        return [plain(item) for item in value.tolist()]
    return value.item() if isinstance(value, np.generic) else value


def main():
    makers = (pairs, cross_section, classes, variances, ridge, features, uniqueness)
    stale = []
    FOLDER.mkdir(parents=True, exist_ok=True)
    for number, make in enumerate(makers):
        text = json.dumps(make(np.random.default_rng(number)), default=plain, indent=None, separators=(",", ":")) + "\n"
        path = FOLDER / f"{make.__name__}.json"
        if "--check" not in sys.argv[1:]:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            stale.append(path.name)
    if stale:
        sys.exit(f"differ from what this script writes: {', '.join(stale)}")


if __name__ == "__main__":
    main()
