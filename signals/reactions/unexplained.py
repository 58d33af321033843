"""Moves past the threshold since the previous close: one a session.

One report a session and ticker, at the first second that is past both the raw and the z threshold,
or so far that it is told however wildly the share has moved of late.
Which events explain it, ``signals/reactions/confounders.py`` says.
"""

from collections.abc import Iterator
from decimal import Decimal
from math import inf

from signals.ids import derive_id
from signals.market.measures import ratio
from signals.market.path import anywhere, inside
from signals.market.session_moves import SessionBase, session_base
from signals.market.sessions import Session
from signals.market.splits import extremes_of
from signals.market.tape import Market
from signals.messages import Move, Second
from signals.policy import Policy

__all__ = ["find_move", "move_id_of", "move_past"]


def move_id_of(ticker: str, session: Session) -> str:
    """Return the identity of a ticker's move in a session."""
    return derive_id("mv", ticker, session.open_us)


def find_move(market: Market, session: Session) -> Move | None:
    """Return the session's first move past the thresholds, None while there is none."""
    path, span = market.path, (session.open_us, session.close_us)
    base = session_base(market, session, path.between(*span, quiet=anywhere))
    if base is None:
        return None
    low, high = _band(base, market.policy)
    for second in path.between(*span, quiet=inside(low, high)):
        move = move_past(second, base, market.policy)
        if move is not None:
            return move
    return None


def move_past(second: Second, base: SessionBase, policy: Policy) -> Move | None:
    """Return the move from the previous close to a second if it is past the thresholds.

    Of a second's first price, its high and its low the first that is past them counts.
    """
    if base.basis.is_suspect(second.second_us):
        return None
    for price in _prices_past(second, base, policy):
        raw, _, z = base.figures(second, price)
        unusual = z is not None and abs(z) >= policy.unexplained_z
        if unusual or abs(raw) >= policy.unexplained_alone:
            return base.move("session", second, price, second.second_us)
    return None


def _band(base: SessionBase, policy: Policy) -> tuple[float, float]:
    """Return the prices that are past the raw threshold on neither side, as far as floats tell."""
    if base.basis.splits:
        return inf, -inf
    close = float(base.previous.close)
    near = policy.unexplained_raw - 1e-6
    return close * (1 - near), close * (1 + near)


def _prices_past(second: Second, base: SessionBase, policy: Policy) -> Iterator[Decimal]:
    """Yield the second's prices that are past the raw threshold."""
    factor = base.basis.factor(second.second_us)
    close = base.previous.close
    scaled = float(close) / float(factor)
    near = policy.unexplained_raw - 1e-6  # floats to pass most by, decimals to decide
    if float(second.high) < scaled * (1 + near) and float(second.low) > scaled * (1 - near):
        return
    for price in (second.first, *extremes_of(second)):
        if abs(ratio(price * factor, close)) >= policy.unexplained_raw:
            yield price
