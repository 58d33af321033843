"""Synthetic minutes of one day, between its real open, high, low and close.

Only the four prices and the volume of the day are facts. The path between them is drawn from a
generator seeded by ticker and day; it uses no function whose last digit differs between machines
(no logarithm, no cosine), so that the same bytes come out everywhere.
"""

import random
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["Figures", "draw_minutes"]

MINUTES = 390
# How far a minute strays, as a part of the day's range.
_NOISE = 0.03
_WICK = 0.012


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures of a day or a minute: prices in cents, volume in shares."""

    open: int
    high: int
    low: int
    close: int
    volume: int


def draw_minutes(day: Figures, *, seed: str) -> tuple[Figures, ...]:
    """Return the 390 minutes of a regular session.

    The first opens at the day's open and the last closes at its close; the day's high and low are
    each touched, between the tenth and the last ten minutes unless the open or the close is that
    very price; the volumes add up to the day's.
    """
    draw = random.Random(seed)  # str seeds go through SHA-512: the same under every hash seed
    high_at, low_at = _turning_points(day, draw)
    path = _path(day, high_at=high_at, low_at=low_at, draw=draw)
    volumes = _volumes(day.volume, draw)
    wick = max(1, round((day.high - day.low) * _WICK))
    minutes = []
    for at in range(MINUTES):
        start, end = path[at], path[at + 1]
        top = max(start, end) + draw.randrange(wick + 1)
        bottom = min(start, end) - draw.randrange(wick + 1)
        minutes.append(
            Figures(
                open=start,
                high=day.high if at == high_at else _within(top, day, start, end),
                low=day.low if at == low_at else _within(bottom, day, start, end),
                close=end,
                volume=volumes[at],
            )
        )
    return tuple(minutes)


def _turning_points(day: Figures, draw: random.Random) -> tuple[int, int]:
    """Return the minutes of the high and of the low.

    A day that closes in its upper half made its low first, as most do.
    """
    early, late = draw.randrange(12, 70), draw.randrange(110, MINUTES - 12)
    high_first = day.close - day.low < day.high - day.close
    high_at, low_at = (early, late) if high_first else (late, early)
    if day.open in (day.high, day.low):
        high_at, low_at = (0, late) if day.open == day.high else (late, 0)
    if day.close == day.high:
        high_at = MINUTES - 1
    if day.close == day.low:
        low_at = MINUTES - 1
    return high_at, low_at


def _path(day: Figures, *, high_at: int, low_at: int, draw: random.Random) -> list[int]:
    """Return the 391 prices at the minutes' edges, in cents, open first."""
    span = day.high - day.low
    near = span // 50  # a minute touches the extreme, its edges stay a little short of it
    anchors = {0: day.open, MINUTES: day.close}
    anchors.setdefault(high_at, max(day.high - near, day.low))
    anchors.setdefault(low_at, min(day.low + near, day.high))
    edges = sorted(anchors)
    path = [day.open]
    for left, right in pairwise(edges):
        bridge = _bridge(right - left, draw)
        rise = anchors[right] - anchors[left]
        for step in range(1, right - left + 1):
            straight = anchors[left] + rise * step / (right - left)
            price = round(straight + bridge[step] * span * _NOISE)
            path.append(_inside(price, day))
        path[right] = anchors[right]
    return path


def _bridge(length: int, draw: random.Random) -> list[float]:
    """Return a random walk of ``length`` steps that ends where it began, at 0."""
    walk = [0.0]
    for _ in range(length):
        walk.append(walk[-1] + draw.random() - draw.random())
    return [height - walk[-1] * step / length for step, height in enumerate(walk)]


def _inside(price: int, day: Figures) -> int:
    """Return the price, a cent off the day's extremes at least where the range leaves room."""
    return min(max(price, min(day.low + 1, day.high)), max(day.high - 1, day.low))


def _within(price: int, day: Figures, start: int, end: int) -> int:
    """Return a wick's end inside the day's range, and never inside the bar's own body."""
    if price >= max(start, end):
        return max(_inside(price, day), start, end)
    return min(_inside(price, day), start, end)


def _volumes(total: int, draw: random.Random) -> list[int]:
    """Return whole volumes that add up to the total, high at the open and towards the close."""
    weights = []
    for at in range(MINUTES):
        from_middle = (at - MINUTES / 2) / (MINUTES / 2)
        weights.append((0.5 + 2 * from_middle * from_middle) * (0.4 + draw.random()))
    whole = sum(weights)
    volumes = [int(total * weight / whole) for weight in weights]
    volumes[-1] += total - sum(volumes)
    return volumes
