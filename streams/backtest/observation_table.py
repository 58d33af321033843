"""The report's last table: every signal, what one could have traded, and what came of it."""

from html import escape

from signals.backtest.forward import ForwardReturn
from streams.backtest.page import cell, percent, row, table, time_of
from streams.backtest.study import Observation, Study
from streams.backtest.words import Words

__all__ = ["observations_table"]

_SIDES = {1: "long", -1: "short", 0: "none"}
_LEFT = 3


def observations_table(study: Study, words: Words) -> str:
    """Return all signals by the time at which they were known, without the side of the trade."""
    horizons = (
        [found.horizon for found in study.observations[0].forward.returns]
        if (study.observations)
        else []
    )
    heads = [
        *(words(key) for key in ("known", "ticker", "what", "side", "entry", "price")),
        *(words(horizon) for horizon in horizons),
    ]
    rows = [_row(one, words) for one in study.observations]
    return table(heads, rows, name="observations", left=_LEFT)


def _row(one: Observation, words: Words) -> str:
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
        span = 2 + len(one.forward.returns)
        reason = words(str(one.forward.reason))
        return row([*cells, f'<td class="wrap" colspan="{span}">{reason}</td>'])
    return row(
        [
            *cells,
            cell(time_of(entry.at_us)),
            cell(f"{entry.price:,.2f}"),
            *(cell(_figure(found, words), "") for found in one.forward.returns),
        ]
    )


def _figure(found: ForwardReturn, words: Words) -> str:
    if found.abnormal is not None:
        return percent(found.abnormal)
    if found.reason is None:
        return "–"
    told = f'<abbr title="{words(found.reason)}">–</abbr>'
    return told if found.raw is None else f"{percent(found.raw)}*"
