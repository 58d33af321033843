"""Parts of an HTML page: escaped, and numbers as people read them."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from html import escape

from signals.messages import Micros
from streams.backtest.statistics import Summary

__all__ = ["band", "cell", "day_of", "number", "percent", "probability", "row", "table", "time_of"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DASH = "–"


def percent(ratio: float | None, *, sign: bool = True) -> str:
    """Return a ratio in percent with two decimals, a dash for none."""
    if ratio is None:
        return _DASH
    text = f"{ratio * 100:+.2f}" if sign else f"{ratio * 100:.2f}"
    return f"{text} %".replace("-", "−")


def band(low: float | None, high: float | None, *, sign: bool = True) -> str:
    """Return both ends of a band in percent, a dash for none."""
    if low is None or high is None:
        return _DASH
    lower = percent(low, sign=sign).removesuffix(" %")
    return f"[{lower}, {percent(high, sign=sign)}]"


def number(value: float | None) -> str:
    """Return a statistic with its sign and two decimals, a dash for none."""
    return _DASH if value is None else f"{value:+.2f}".replace("-", "−")


def probability(value: float | None) -> str:
    """Return a p-value with three decimals."""
    if value is None:
        return _DASH
    return "&lt;0.001" if value < 0.001 else f"{value:.3f}"


def time_of(at_us: Micros) -> str:
    """Return a time in UTC to the minute."""
    return f"{_EPOCH + timedelta(microseconds=at_us):%Y-%m-%d %H:%M}"


def day_of(at_us: Micros) -> str:
    """Return a day in UTC."""
    return f"{_EPOCH + timedelta(microseconds=at_us):%Y-%m-%d}"


def cell(text: str, kind: str = "") -> str:
    """Return a table's cell; the text is HTML already."""
    return f'<td class="{kind}">{text}</td>' if kind else f"<td>{text}</td>"


def row(cells: Iterable[str]) -> str:
    """Return a table's row of cells."""
    return f"<tr>{''.join(cells)}</tr>"


def table(heads: Sequence[str], rows: Iterable[str], *, name: str, left: int = 1) -> str:
    """Return a table whose first ``left`` heads stand to the left."""
    cells = "".join(
        f'<th class="text" scope="col">{escape(head)}</th>'
        if number < left
        else f'<th scope="col">{escape(head)}</th>'
        for number, head in enumerate(heads)
    )
    body = "\n".join(rows)
    return (
        f'<div class="scroll"><table class="{name}"><thead><tr>{cells}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


def heat(summary: Summary) -> str:
    """Return the colour of a cell as a style: blue above 0, orange below, deeper with t."""
    t = summary.t_clustered if summary.t_clustered is not None else 0.0
    depth = round(min(abs(t) / 4.0, 1.0) * 60)
    tone = "up" if t >= 0 else "down"
    return f"--tone:var(--{tone});--depth:{depth}%"
