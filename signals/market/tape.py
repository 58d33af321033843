"""One ticker's prices as a whole: what a step measures on, and what an analyst looks up."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from signals.fold import Draft, Row
from signals.market.path import Close, DaysRow, Path, add_day, add_second, days_part, path_part
from signals.market.sessions import Session, Sessions
from signals.market.splits import SplitsRow, add_split
from signals.messages import Daily, Micros, Second, Split
from signals.policy import Policy

__all__ = ["Market", "Tape"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """What is known of one ticker's market.

    Attributes:
        days: the daily closes, ascending.
        reached_us: the newest event time of a price; a horizon up to it is reached.
        splits: ascending.
    """

    ticker: str
    path: Path
    days: Sequence[Close]
    reached_us: Micros
    sessions: Sessions
    policy: Policy
    splits: Sequence[Split] = ()


class Tape:
    """All prices of a ticker, as sample_prices gives them; nothing is forgotten."""

    def __init__(self, ticker: str, sessions: Sessions, policy: Policy) -> None:
        self._ticker, self._sessions, self._policy = ticker, sessions, policy
        self._rows: dict[str, Row] = {}
        self._reached_us = 0

    def add(self, message: Second | Daily | Split) -> None:
        """Take in what became known, in any order."""
        match message:
            case Second():
                added = add_second(self._rows.get(path_part(message.second_us)), message)
                if added is not None:
                    self._rows[path_part(message.second_us)] = added[0]
                self._reached_us = max(self._reached_us, message.second_us)
            case Daily():
                part = days_part(message.close_us)
                self._rows[part] = add_day(self._rows.get(part), message) or self._rows[part]
                self._reached_us = max(self._reached_us, message.close_us)
            case Split():
                known = self._rows.get("splits")
                self._rows["splits"] = add_split(known, message) or known

    def market(self) -> Market:
        """Return the prices for measuring."""
        draft = Draft(self._rows)
        rows: list[DaysRow] = [row for part in draft.parts("days") if (row := draft.get(part))]
        splits: SplitsRow | None = draft.get("splits")
        return Market(
            ticker=self._ticker,
            path=Path(draft),
            days=sorted((day for row in rows for day in row.days), key=lambda day: day.close_us),
            reached_us=Micros(self._reached_us),
            sessions=self._sessions,
            policy=self._policy,
            splits=() if splits is None else splits.splits,
        )

    def sessions(self) -> Iterator[Session]:
        """Yield the regular sessions from the first price on to the last."""
        first = self.market().path.first()
        session = (
            None if first is None else self._sessions.session_of(self._ticker, first.second_us)
        )
        if first is not None and session is None:
            session = self._sessions.following(self._ticker, first.second_us)
        while session is not None and session.open_us <= self._reached_us:
            yield session
            session = self._sessions.following(self._ticker, session.close_us)
