"""The report's last table: every signal, what one could have traded, and what came of it."""

from collections.abc import Sequence
from html import escape

from signals.backtest.forward import HORIZONS, ForwardReturn
from streams.backtest.observations import Observation
from streams.backtest.page import cell, percent, row, table, time_of
from streams.backtest.study import Study
from streams.backtest.words import Words

__all__ = ["observations_table"]

_SIDES = {1: "long", -1: "short", 0: "none"}
_LEFT = 3


def observations_table(study: Study, words: Words) -> str:
    """Return all signals by the time at which they were known, without the side of the trade.

    Horizons at which nothing was measured at all are left out.
    """
    shown = [horizon for horizon in HORIZONS if horizon in study.measured]
    heads = [
        *(words(key) for key in ("known", "ticker", "what", "side", "entry", "price")),
        *(words(horizon) for horizon in shown),
    ]
    rows = [_row(one, shown, words) for one in study.observations]
    return table(heads, rows, name="observations", left=_LEFT)


def _row(one: Observation, shown: Sequence[str], words: Words) -> str:
    signal, entry = one.signal, one.forward.entry
    facts = [signal.kind, signal.type, signal.status, signal.direction, signal.severity]
    told = " · ".join(words.name(fact) for fact in facts if fact is not None)
    cells = [
        cell(time_of(signal.known_us), "text"),
        cell(escape(signal.ticker), "text"),
        cell(f"{escape(signal.title)}<small>{escape(told)}</small>", "title"),
        cell(words(_SIDES[signal.side])),
    ]
    if entry is None:
        reason = words(str(one.forward.reason))
        return row([*cells, f'<td class="wrap" colspan="{2 + len(shown)}">{reason}</td>'])
    figures = [found for found in one.forward.returns if found.horizon in shown]
    return row(
        [
            *cells,
            cell(time_of(entry.at_us)),
            cell(f"{entry.price:,.2f}"),
            *(cell(_figure(found, words)) for found in figures),
        ]
    )


def _figure(found: ForwardReturn, words: Words) -> str:
    if found.abnormal is not None:
        return percent(found.abnormal)
    if found.reason is None:
        return "–"
    told = f'<abbr title="{words(found.reason)}">–</abbr>'
    return told if found.raw is None else f"{percent(found.raw)}*"
