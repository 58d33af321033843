"""The two plots of the report, as SVG that takes its colours and fonts from the page."""

import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import StringIO
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from signals.backtest.forward import HORIZONS
from streams.backtest.study import Study
from streams.backtest.words import Words

__all__ = ["curve_plot", "horizons_plot"]

# Colours that stand for the page's own, which differ by light and dark.
_INK, _MUTED, _GRID = "#010203", "#040506", "#070809"
_ACCENT, _OTHER = "#0a0b0c", "#0d0e0f"
_NAMES = {
    _INK: "var(--ink)",
    _MUTED: "var(--muted)",
    _GRID: "var(--line)",
    _ACCENT: "var(--accent)",
    _OTHER: "var(--placebo)",
}
_SIZE = (12.0, 4.0)  # inches at 72 points
_SETTINGS: Mapping[Any, Any] = {  # its own type lists every setting there is
    # Text stays text, so that the browser's fonts show Korean; ids do not change from run to run.
    "svg.fonttype": "none",
    "svg.hashsalt": "tapewire",
    "font.size": 10.5,
    "axes.edgecolor": _GRID,
    "axes.labelcolor": _MUTED,
    "text.color": _INK,
    "xtick.color": _MUTED,
    "ytick.color": _MUTED,
}


def horizons_plot(study: Study, words: Words) -> str:
    """Return the mean of each horizon with its band, and the placebo's beside it."""
    with _axes() as (figure, axes):
        shown = [horizon for horizon in HORIZONS if horizon in study.measured]
        for x, horizon in enumerate(shown):
            cell = study.cell("signed_abnormal", "all", "all", horizon)
            placebo = study.placebo[horizon]
            if placebo is not None:
                axes.vlines(x + 0.16, placebo.low, placebo.high, color=_OTHER, lw=7, alpha=0.4)
                axes.plot([x + 0.16], [placebo.mean], "_", color=_OTHER, ms=9, mew=2)
            if cell is not None and cell.summary.mean is not None:
                summary = cell.summary
                axes.vlines(x - 0.16, summary.low or 0.0, summary.high or 0.0, color=_ACCENT, lw=2)
                axes.plot([x - 0.16], [summary.mean or 0.0], "o", color=_ACCENT, ms=7)
        axes.set_xticks(range(len(shown)), [words(horizon) for horizon in shown])
        axes.set_xlim(-0.6, len(shown) - 0.4)
        axes.plot([], [], "o-", color=_ACCENT, lw=2, label=f"{words('mean')}, {words('band')}")
        axes.plot([], [], "-", color=_OTHER, lw=7, alpha=0.4, label=words("placebo_short"))
        _legend(axes)
        return _svg(figure, "horizons", words("by_horizon"))


def curve_plot(study: Study, words: Words) -> str:
    """Return the mean cumulative abnormal return around the event, with both bands."""
    with _axes() as (figure, axes):
        days = [day for day in study.curve if day.mean is not None]
        x = [day.day for day in days]
        mean = [day.mean or 0.0 for day in days]
        error = [1.96 * (day.error or 0.0) for day in days]
        axes.fill_between(
            x,
            [day.low or 0.0 for day in days],
            [day.high or 0.0 for day in days],
            color=_ACCENT,
            alpha=0.18,
            lw=0,
            label=words("curve_boot"),
        )
        for sign in (-1, 1):
            axes.plot(
                x,
                [value + sign * width for value, width in zip(mean, error, strict=True)],
                "--",
                color=_ACCENT,
                lw=0.9,
                label=words("curve_cross") if sign < 0 else None,
            )
        axes.plot(x, mean, color=_ACCENT, lw=2, label=words("curve_signed"))
        plain = [day for day in study.curve if day.plain is not None]
        axes.plot(
            [day.day for day in plain],
            [day.plain or 0.0 for day in plain],
            ":",
            color=_MUTED,
            lw=1.4,
            label=words("curve_plain"),
        )
        axes.axvline(-0.5, color=_MUTED, lw=0.8)
        axes.set_xlim(study.curve[0].day - 0.5, study.curve[-1].day + 0.5)
        axes.set_xticks([-5, 0, 5, 10, 15, 20])
        axes.set_xlabel(words("trading_days"), loc="right")
        _legend(axes)
        return _svg(figure, "curve", words("curve"))


@contextmanager
def _axes() -> Iterator[tuple[Figure, Axes]]:
    with mpl.rc_context(dict(_SETTINGS)), warnings.catch_warnings():
        # Its own fonts lack Korean; the browser's are used.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure = Figure(figsize=_SIZE)
        FigureCanvasSVG(figure)
        axes = figure.add_axes((0.065, 0.13, 0.925, 0.76))
        figure.patch.set_visible(False)
        axes.patch.set_visible(False)
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        axes.grid(axis="y", color=_GRID, lw=0.8)
        axes.set_axisbelow(True)
        axes.tick_params(length=0)
        axes.axhline(0, color=_MUTED, lw=1)
        axes.yaxis.set_major_locator(MaxNLocator(6))
        axes.yaxis.set_major_formatter(FuncFormatter(_percent))
        yield figure, axes


def _percent(ratio: float, _: object = None) -> str:
    text = f"{ratio * 100:+.4g}".replace("-", "−")
    return "0 %" if float(ratio) == 0.0 else f"{text} %"


def _legend(axes: Axes) -> None:
    axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=4, frameon=False, borderpad=0.2)


def _svg(figure: Figure, name: str, label: str) -> str:
    """Return the figure as an element of a page: ids of its own, no size, the page's colours."""
    text = StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\b(id="|url\(#|href="#)', rf"\g<1>{name}-", svg)
    size = re.search(r'viewBox="[^"]*"', svg)
    assert size is not None  # matplotlib writes one
    start = (
        f'<svg {size.group()} role="img" aria-label="{label}" xmlns="http://www.w3.org/2000/svg"'
    )
    svg = re.sub(
        r"<svg [^>]*>", f'{start} xmlns:xlink="http://www.w3.org/1999/xlink">', svg, count=1
    )
    for colour, variable in _NAMES.items():
        svg = svg.replace(colour, variable)
    return svg.strip()
