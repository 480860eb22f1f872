"""Golden values for `crates/data-pipeline/src/feature`, from formulas that share nothing with it: pandas windows and
matrices where the crate loops over rows.

  pip install numpy pandas
  python scripts/golden_features.py            # writes crates/data-pipeline/tests/golden/features.json
  python scripts/golden_features.py --check    # exit 1 where the file differs from what would be written
"""
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd

FILE = Path(__file__).resolve().parent.parent / "crates" / "data-pipeline" / "tests" / "golden" / "features.json"
ROWS = 200
DECIMALS = 9
FLOOR = 1e-10
LEFT_OUT = 1e-3


def market():
    """Hourly bars over several months: gaps between bars, flat bars, bars without volume, and hours that are missing."""
    rng = np.random.default_rng(20240131)
    close = 80 * np.exp(np.cumsum(0.01 * rng.standard_normal(ROWS)))
    open_ = np.concatenate([[80.0], close[:-1]]) * np.exp(0.002 * rng.standard_normal(ROWS))
    high = np.maximum(open_, close) * np.exp(np.abs(0.004 * rng.standard_normal(ROWS)))
    low = np.minimum(open_, close) * np.exp(-np.abs(0.004 * rng.standard_normal(ROWS)))
    volume = np.floor(np.exp(6 + rng.standard_normal(ROWS)))
    volume[rng.random(ROWS) < 0.1] = 0
    prices = np.round(np.stack([open_, high, low, close]), 6)
    flat = rng.random(ROWS) < 0.05
    prices[:, flat] = prices[3, flat]
    hours = np.cumsum(1 + rng.integers(0, 30, ROWS) * (rng.random(ROWS) < 0.4))
    start = pd.Timestamp("2024-01-25T07:00:00Z")
    opens = pd.DatetimeIndex([start + pd.Timedelta(hours=int(hour)) for hour in hours])
    return pd.DataFrame(dict(zip("ohlc", prices)) | {"v": volume}, index=opens)


def log_volatility(variance):
    return 0.5 * np.log(np.maximum(variance, FLOOR))


def averaged(series, alpha, textbook):
    """The exponentially weighted mean, with an end or, as textbooks have it, over all history."""
    if textbook:
        return series.ewm(alpha=alpha, adjust=False, min_periods=1).mean()
    length = int(np.ceil(np.log(LEFT_OUT) / np.log(1 - alpha))) if alpha < 1 else 1
    weights = (1 - alpha) ** np.arange(length)[::-1]
    return series.rolling(length).apply(lambda window: window @ weights / weights.sum(), raw=True)


def momentum_features(m, textbook=False):
    change = m.c.diff()

    def rsi(period):
        gains = averaged(change.clip(lower=0), 1 / period, textbook)
        losses = averaged(-change.clip(upper=0), 1 / period, textbook)
        return [(100 - 100 / (1 + gains / losses)) / 50 - 1]

    def macd(fast, slow, signal):
        line = averaged(m.c, 2 / (fast + 1), textbook) - averaged(m.c, 2 / (slow + 1), textbook)
        above = line - averaged(line, 2 / (signal + 1), textbook)
        return [line.where(above.notna()) / m.c, above / m.c]

    def atr(period):
        spreads = [m.h - m.l, (m.h - m.c.shift()).abs(), (m.l - m.c.shift()).abs()]
        true_range = pd.concat(spreads, axis=1).max(axis=1, skipna=False)
        return [averaged(true_range, 1 / period, textbook) / m.c]

    return rsi, macd, atr


def cases(m):
    """`(feature, channels)`, with warm-up rows missing."""
    ln = np.log(m[["o", "h", "l", "c"]])
    r, gap = ln.c.diff(), ln.o - ln.c.shift()
    u, d, c = ln.h - ln.o, ln.l - ln.o, ln.c - ln.o
    rs = u * (u - c) + d * (d - c)
    v1 = np.log(m.v + 1)
    top, bottom = m[["o", "c"]].max(axis=1), m[["o", "c"]].min(axis=1)
    rsi, macd, atr = momentum_features(m)

    yield "log_return", [r]
    yield "opening_gap", [gap]
    for n in (60, 5):
        yield ("drawdown", {"bars": n}), [ln.c - ln.c.rolling(n).max()]
    yield "range", [ln.h - ln.l]
    yield "body", [c]
    yield "upper_wick", [np.log(m.h / top)]
    yield "lower_wick", [np.log(bottom / m.l)]
    yield "true_range", [pd.concat([ln.h - ln.l, (ln.h - ln.c.shift()).abs(), (ln.l - ln.c.shift()).abs()], axis=1).max(axis=1, skipna=False)]
    yield "close_position", [(((ln.c - ln.l) - (ln.h - ln.c)) / (ln.h - ln.l)).fillna(0)]
    yield "volume", [v1]
    yield "volume_change", [v1.diff()]
    for n in (20, 7):
        yield ("relative_volume", {"bars": n}), [v1 - np.log(m.v.rolling(n).median().shift() + 1)]
        yield ("signed_volume", {"bars": n}), [(np.sign(c) * m.v).rolling(n).sum() / m.v.rolling(n).sum()]
    for n in (20, 9):
        bars = {"bars": n}
        k = 0.34 / (1.34 + (n + 1) / (n - 1))
        yang_zhang = gap.rolling(n).var() + k * c.rolling(n).var() + (1 - k) * rs.rolling(n).mean()
        yang_zhang[gap.rolling(n).var().isna()] = np.nan
        yield ("realized_volatility", bars), [log_volatility((r**2).rolling(n).mean())]
        yield ("close_to_close", bars), [log_volatility(r.rolling(n).var())]
        yield ("parkinson", bars), [log_volatility(((u - d) ** 2).rolling(n).sum() / (4 * n * np.log(2)))]
        yield ("garman_klass", bars), [log_volatility((0.5 * (u - d) ** 2 - (2 * np.log(2) - 1) * c**2).rolling(n).mean())]
        yield ("rogers_satchell", bars), [log_volatility(rs.rolling(n).mean())]
        yield ("yang_zhang", bars), [log_volatility(yang_zhang)]
    for half_life in (11, 4):
        alpha = 1 - np.exp(-np.log(2) / half_life)
        yield ("ewma_volatility", {"half_life": half_life}), [log_volatility(averaged(r**2, alpha, False))]
    for n in (12, 3):
        yield ("momentum", {"bars": n}), [ln.c - ln.c.shift(n)]
    for period in (14, 5):
        yield ("rsi", {"period": period}), rsi(period)
        yield ("atr", {"period": period}), atr(period)
    for spans in ({"fast": 12, "slow": 26, "signal": 9}, {"fast": 3, "slow": 8, "signal": 4}):
        yield ("macd", spans), macd(**spans)
    for n in (20, 6):
        mean, std = m.c.rolling(n).mean(), m.c.rolling(n).std(ddof=0)
        percent_b = (m.c - (mean - 2 * std)) / (4 * std)
        yield ("bollinger", {"bars": n}), [2 * percent_b - 1]
    for n in (14, 4):
        lowest, highest = m.l.rolling(n).min(), m.h.rolling(n).max()
        yield ("stochastic", {"bars": n}), [100 * (m.c - lowest) / (highest - lowest) / 50 - 1]

    close_time = m.index + pd.Timedelta(hours=1)
    day = (close_time.hour * 3600 + close_time.minute * 60 + close_time.second) / 86400
    phases = {
        "time_of_day": day,
        "day_of_week": m.index.day_of_week / 7,
        "day_of_month": (m.index.day - 1) / m.index.days_in_month,
        "month_of_year": (m.index.month - 1) / 12,
    }
    for name, phase in phases.items():
        turn = np.exp(2j * np.pi * np.asarray(phase, dtype=float))
        yield name, [pd.Series(turn.imag, m.index), pd.Series(turn.real, m.index)]


def textbook(m):
    """What textbooks' endless recursions say in the last row, where little is left of their first values."""
    rsi, macd, atr = momentum_features(m, textbook=True)
    yield ("rsi", {"period": 14}), [channel.iloc[-1] for channel in rsi(14)]
    yield ("atr", {"period": 14}), [channel.iloc[-1] for channel in atr(14)]
    yield ("macd", {"fast": 12, "slow": 26, "signal": 9}), [channel.iloc[-1] for channel in macd(12, 26, 9)]


def written(feature):
    return feature if isinstance(feature, str) else {"kind": feature[0]} | feature[1]


def number(value):
    return None if np.isnan(value) else round(float(value), DECIMALS) + 0.0


def text():
    m = market()
    bars = {"open_time": [int(time.value) for time in m.index]}
    for name, column in dict(open="o", high="h", low="l", close="c", volume="v").items():
        bars[name] = [float(value) for value in m[column]]
    golden = {
        "bars": bars,
        "cases": [
            {"feature": written(feature), "channels": [[number(value) for value in channel] for channel in channels]}
            for feature, channels in cases(m)
        ],
        "textbook": [
            {"feature": written(feature), "last_row": [number(value) for value in last]} for feature, last in textbook(m)
        ],
    }
    lines = [f'"bars": {json.dumps(bars)}']
    for part in ("cases", "textbook"):
        rows = ",\n".join(json.dumps(case) for case in golden[part])
        lines.append(f'"{part}": [\n{rows}\n]')
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main():
    fresh = text()
    if "--check" in sys.argv[1:]:
        return 0 if FILE.exists() and FILE.read_text() == fresh else 1
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(fresh)
    return 0


if __name__ == "__main__":
    sys.exit(main())
