from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.alerts.delivery import deliver_step, flush_delivery
from signals.alerts.notices import Digest, Notice, Verdict
from signals.fold import Row, apply_changes
from signals.messages import Alert, Explain, Micros, Move
from signals.policy import DAY_US, MINUTE_US, SECOND_US, DeliveryPolicy, Policy
from tests.builders import RULES, us

NOON_US = us("2025-11-03T17:00:00Z")


def alert(
    story: str = "a",
    *,
    minute: float = 0,
    revision: int = 1,
    supersedes: tuple[str, ...] = (),
    anchor: str = "IREN",
    **changes: Any,
) -> Alert:
    """A low alert on IREN, known so many minutes after noon."""
    fields: dict[str, Any] = {
        "alert_id": f"al_{story}_{anchor}",
        "revision": revision,
        "kind": "new",
        "type": "deal",
        "status": "in_talks",
        "direction": None,
        "story_id": f"st_{story}",
        "anchor": anchor,
        "title": story,
        "parties": (),
        "tickers": ("IREN",),
        "amounts": (),
        "headline_ids": (),
        "event_ids": (),
        "moves": (),
        "known_us": Micros(NOON_US + round(minute * MINUTE_US)),
        "severity": "low",
        "explain": Explain(
            summary="", rules=(), evidence=(), thresholds=(), score=0.0, supersedes=supersedes
        ),
        "rules": RULES,
    }
    return Alert(**(fields | changes))


def move(ticker: str, raw: float = 0.05, *, milestone: str = "level:+0.05") -> Move:
    return Move(
        ticker=ticker,
        milestone=milestone,
        relation="after",
        from_us=NOON_US,
        to_us=Micros(NOON_US + SECOND_US),
        from_price=None,
        to_price=None,
        raw=raw,
        abnormal=None,
        z=None,
        beta=None,
        benchmark=None,
        known_us=NOON_US,
    )


class Reader:
    """A reader's state, and what came."""

    def __init__(self, *, watched: Iterable[str] = (), **changes: Any) -> None:
        self.policy = Policy(delivery=DeliveryPolicy(**changes))
        self.rows: dict[str, Row] = {}
        self.got: list[Notice] = []
        self._step = deliver_step(self.policy, watched)

    def take(self, *alerts: Alert) -> list[Verdict]:
        verdicts: list[Verdict] = []
        for each in alerts:
            frozen = dict(self.rows)
            decision = self._step(self.rows, "me", each)
            assert self.rows == frozen
            self.rows = apply_changes(self.rows, decision.changes)
            self.got += decision.outputs
            assert decision.verdict is not None
            verdicts.append(decision.verdict)
        return verdicts

    def flush(self) -> None:
        decision = flush_delivery(self.rows, "me", self.policy)
        self.rows = apply_changes(self.rows, decision.changes)
        self.got += decision.outputs

    @property
    def digests(self) -> list[Digest]:
        return [notice for notice in self.got if isinstance(notice, Digest)]

    @property
    def named(self) -> list[tuple[str, int, str]]:
        return [(h.title, h.revision, h.held_for) for d in self.digests for h in d.held]


def told(number: int, *, ticker: str = "IREN", minute: float = 0) -> list[Alert]:
    """So many stories of a ticker, each new."""
    return [
        alert(f"{ticker}{count}", minute=minute + count, tickers=(ticker,), anchor=ticker)
        for count in range(number)
    ]


# ---- cooldown ------------------------------------------------------------------------------------


def test_a_second_alert_of_a_story_waits_until_the_cooldown_is_over() -> None:
    reader = Reader()

    verdicts = reader.take(
        alert(),
        alert(minute=29.9, revision=2, kind="confirmed", moves=(move("IREN"),)),
        alert(minute=30, revision=3, kind="confirmed", moves=(move("IREN", 0.1),)),
    )

    assert verdicts == ["due", "cooldown", "due"]


def test_another_story_of_the_ticker_and_another_ticker_of_the_story_do_not_wait() -> None:
    reader = Reader()

    verdicts = reader.take(
        alert(),
        alert("b", minute=1),
        alert(minute=2, revision=2, kind="spill_over", moves=(move("DELL"),)),
        alert(minute=3, revision=3, kind="spill_over", moves=(move("DELL", 0.1),)),
    )

    assert verdicts == ["due", "due", "due", "cooldown"]


def test_what_was_held_back_does_not_prolong_the_cooldown() -> None:
    reader = Reader()

    reader.take(alert(), alert(minute=20, revision=2, kind="confirmed"))

    assert reader.take(alert(minute=31, revision=3, kind="confirmed")) == ["due"]


@pytest.mark.parametrize(
    ("kind", "verdict"),
    [("status_changed", "kind"), ("corrected", "kind"), ("explained", "kind"),
     ("confirmed", "cooldown"), ("new", "cooldown")],
)  # fmt: skip
def test_kinds_that_pass_the_cooldown(kind: str, verdict: str) -> None:
    reader = Reader()

    assert reader.take(alert(), alert(minute=1, revision=2, kind=kind)) == ["due", verdict]


def test_a_story_that_becomes_high_passes_and_once_only() -> None:
    reader = Reader()

    verdicts = reader.take(
        alert(severity="medium"),
        alert(minute=1, revision=2, kind="confirmed", severity="high"),
        alert(minute=2, revision=3, kind="confirmed", severity="high"),
        alert("b", minute=3),
        alert("b", minute=4, revision=2, kind="confirmed", severity="medium"),
    )

    assert verdicts == ["due", "severity", "cooldown", "due", "cooldown"]


# ---- budget --------------------------------------------------------------------------------------


def test_five_a_ticker_and_seven_days() -> None:
    reader = Reader()

    assert reader.take(*told(7)) == ["due"] * 5 + ["budget"] * 2
    assert reader.take(*told(1, ticker="DELL", minute=9)) == ["due"]
    week = 7 * 24 * 60
    assert reader.take(alert("x", minute=week - 0.1), alert("y", minute=week)) == ["budget", "due"]


def test_an_alert_passes_while_one_of_its_tickers_has_some_left() -> None:
    reader = Reader()
    reader.take(*told(5, ticker="NVDA"))

    verdicts = reader.take(
        alert("pair", minute=10, tickers=("NVDA", "IREN")),
        alert("own", minute=11, tickers=("NVDA",)),
    )

    assert verdicts == ["due", "budget"]


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [({"kind": "status_changed"}, "kind"), ({"severity": "high"}, "severity"), ({}, "budget"),
     ({"kind": "corrected"}, "budget"), ({"kind": "explained"}, "budget")],
)  # fmt: skip
def test_what_passes_a_spent_budget(changes: dict[str, Any], verdict: str) -> None:
    reader = Reader()
    reader.take(*told(5))

    assert reader.take(alert("untold", minute=10, **changes)) == [verdict]


def test_what_passes_is_counted_whatever_it_passed_by() -> None:
    reader = Reader(budget=2)

    verdicts = reader.take(
        alert(severity="high"),
        alert(minute=1, revision=2, kind="status_changed"),
        alert("b", minute=2),
    )

    assert verdicts == ["severity", "kind", "budget"]


def test_a_story_of_no_ticker_has_the_budget_of_its_anchor() -> None:
    reader = Reader(budget=1)

    verdicts = reader.take(
        alert("a", tickers=(), anchor="org:openai"), alert("b", tickers=(), anchor="org:openai"),
        alert("c", tickers=(), anchor="gov:US>AE"),
    )  # fmt: skip

    assert verdicts == ["due", "budget", "due"]


# ---- ends ----------------------------------------------------------------------------------------


def test_the_end_of_what_was_told_is_delivered_at_once_and_of_what_was_not_is_not() -> None:
    reader = Reader()
    reader.take(*told(5), alert("held", minute=6))

    verdicts = reader.take(
        alert("IREN0", minute=7, revision=2, kind="retracted"),
        alert("IREN1", minute=7, revision=2, kind="superseded"),
        alert("held", minute=8, revision=2, kind="retracted"),
    )
    reader.flush()

    assert verdicts == ["ending", "ending", "untold"]
    assert reader.named == [("held", 1, "budget"), ("held", 2, "untold")]


def test_what_a_digest_has_named_is_told() -> None:
    reader = Reader()
    reader.take(*told(5), alert("held", minute=6))
    reader.take(alert("later", minute=2 * 24 * 60, tickers=("DELL",)))
    assert reader.named == [("held", 1, "budget")]

    verdicts = reader.take(alert("held", minute=2 * 24 * 60 + 1, revision=2, kind="retracted"))

    assert verdicts == ["ending"]


def test_the_end_of_a_story_that_its_own_coming_tells_of_in_a_digest_is_delivered() -> None:
    reader = Reader(budget=0)
    reader.take(alert())

    assert reader.take(alert(minute=24 * 60, revision=2, kind="retracted")) == ["ending"]
    assert [notice.kind for notice in reader.got] == ["digest", "retracted"]


def test_the_heir_of_a_told_story_passes_and_ends_as_a_told_one() -> None:
    reader = Reader()
    reader.take(*told(5))

    verdicts = reader.take(
        alert("IREN0", minute=6, revision=2, kind="superseded"),
        alert("heir", minute=6, supersedes=("st_IREN0",)),
        alert("other", minute=6, supersedes=("st_nobody",)),
        alert("heir", minute=7, revision=2, kind="retracted"),
    )

    assert verdicts == ["ending", "heir", "budget", "ending"]


def test_a_story_told_on_another_anchor_goes_on_as_a_told_one() -> None:
    reader = Reader()

    verdicts = reader.take(
        alert(),
        alert(minute=1, revision=2, kind="superseded"),
        alert(minute=1, anchor="MSFT"),
        alert(minute=2, anchor="MSFT", revision=2, kind="retracted"),
    )

    assert verdicts == ["due", "ending", "due", "ending"]


def test_a_story_that_comes_again_after_its_end_is_told_again() -> None:
    reader = Reader()

    verdicts = reader.take(
        alert(severity="high"),
        alert(minute=1, revision=2, kind="retracted", severity="high"),
        alert(minute=2, revision=3, severity="high"),
        alert(minute=3, revision=4, kind="retracted", severity="high"),
    )

    assert verdicts == ["severity", "ending", "severity", "ending"]


# ---- digests -------------------------------------------------------------------------------------


def test_a_digest_goes_out_before_the_alert_that_shows_it_to_be_due() -> None:
    reader = Reader(cooldown_us=2 * DAY_US)
    first, held = alert(), alert(minute=10, revision=2, kind="confirmed")
    early, late = alert("b", minute=10 + 24 * 60 - 1), alert("c", minute=10 + 24 * 60)
    reader.take(first, held, early, late)

    (digest,) = reader.digests
    assert reader.got == [first, early, digest, late]
    assert (digest.from_us, digest.to_us) == (held.known_us, held.known_us)
    assert digest.known_us == late.known_us
    (named,) = digest.held
    assert (named.alert_id, named.revision, named.held_for) == (held.alert_id, 2, "cooldown")
    assert named.subjects == ("IREN",)


def test_a_full_digest_does_not_wait() -> None:
    reader = Reader(budget=0, digest_most=2)
    reader.take(*told(5))

    assert [len(digest.held) for digest in reader.digests] == [2, 2]
    reader.flush()
    assert [len(digest.held) for digest in reader.digests] == [2, 2, 1]


def test_the_end_sends_what_waits_and_nothing_twice() -> None:
    reader = Reader(budget=0)
    reader.take(*told(3))

    reader.flush()
    reader.flush()

    assert [name for name, *_ in reader.named] == ["IREN0", "IREN1", "IREN2"]
    assert len(reader.digests) == 1


def test_the_id_of_a_digest_follows_from_what_it_names() -> None:
    ids = []
    for stories in (3, 3, 4):
        reader = Reader(budget=0)
        reader.take(*told(stories))
        reader.flush()
        ids.append(reader.digests[0].digest_id)

    assert ids[0] == ids[1] != ids[2]


# ---- repeats, order, watching, bounds ------------------------------------------------------------


def test_a_repeated_revision_changes_nothing() -> None:
    reader = Reader()
    first, second = alert(), alert(minute=1, revision=2, kind="confirmed")
    reader.take(first, second)
    before = dict(reader.rows)

    assert reader.take(first, second, first) == ["repeated"] * 3
    assert reader.rows == before


def test_an_earlier_revision_that_comes_later_is_named_and_tells_nothing() -> None:
    reader = Reader()
    earlier = alert(minute=2, revision=1, kind="confirmed", severity="high")

    verdicts = reader.take(alert(minute=1, revision=2), earlier, earlier)
    reader.flush()

    assert verdicts == ["due", "outdated", "repeated"]
    assert reader.named == [("a", 1, "outdated")]


def test_a_reader_of_some_tickers_has_the_budget_of_those_alone() -> None:
    reader = Reader(watched=("IREN",), budget=1)

    verdicts = reader.take(
        alert("pair", tickers=("NVDA", "IREN")),
        alert("other", minute=1, tickers=("NVDA",)),
        alert("pair2", minute=2, tickers=("NVDA", "IREN")),
        # It no longer names the ticker; but the reader was told.
        alert("pair", minute=3, tickers=("NVDA",), revision=2, kind="corrected"),
    )
    reader.flush()

    assert verdicts == ["due", "unwatched", "budget", "kind"]
    assert reader.named == [("pair2", 1, "budget")]


def test_state_does_not_grow_with_time() -> None:
    reader = Reader()
    sizes = []
    for day in range(600):
        reader.take(alert(str(day), minute=day * 24 * 60, tickers=(f"T{day % 40}",)))
        sizes.append(len(reader.rows))

    stories_of_a_year, tickers_of_a_week, clock = 366 + 1, 7 + 2, 1
    assert max(sizes) <= stories_of_a_year + tickers_of_a_week + clock
    assert sizes[-1] <= sizes[400]


_STORIES = st.sampled_from(["a", "b", "c", "d"])
_KINDS = st.sampled_from(
    ["new", "confirmed", "spill_over", "status_changed", "corrected", "retracted", "superseded"]
)


@st.composite
def _logs(draw: st.DrawFn) -> list[Alert]:
    """Alerts as a topic has them: revisions in order, times nearly so."""
    log: list[Alert] = []
    revisions: dict[str, int] = {}
    at = 0.0
    for _ in range(draw(st.integers(1, 30))):
        story = draw(_STORIES)
        revisions[story] = revisions.get(story, 0) + 1
        at += draw(st.sampled_from([0, 1, 20, 40, 600, 2000, -3]))
        tickers = draw(st.sampled_from([("IREN",), ("IREN", "MSFT"), ("MSFT",), ()]))
        moves = tuple(move(ticker, at / 1e5) for ticker in tickers) if draw(st.booleans()) else ()
        log.append(
            alert(
                story,
                minute=at,
                revision=revisions[story],
                kind=draw(_KINDS),
                severity=draw(st.sampled_from(["low", "medium", "high"])),
                tickers=tickers,
                moves=moves,
                supersedes=draw(st.sampled_from([(), ("st_a",)])),
            )
        )
    return log


def _read(log: Sequence[Alert], **changes: Any) -> Reader:
    reader = Reader(**changes)
    reader.take(*log)
    reader.flush()
    return reader


@given(log=_logs(), budget=st.integers(0, 3), most=st.integers(1, 4))
def test_every_alert_is_delivered_or_named_in_one_digest(
    log: list[Alert], budget: int, most: int
) -> None:
    reader = _read(log, budget=budget, digest_most=most)

    passed = [(n.alert_id, n.revision) for n in reader.got if isinstance(n, Alert)]
    named = [(h.alert_id, h.revision) for digest in reader.digests for h in digest.held]
    assert sorted(passed + named) == sorted((a.alert_id, a.revision) for a in log)
    assert passed == [(a.alert_id, a.revision) for a in log if (a.alert_id, a.revision) in passed]


@given(log=_logs(), data=st.data())
def test_repeats_anywhere_leave_what_is_delivered_as_it_is(
    log: list[Alert], data: st.DataObject
) -> None:
    repeated = list(log)
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(repeated) - 1))
        repeated.insert(data.draw(st.integers(at + 1, len(repeated))), repeated[at])

    assert _read(repeated).got == _read(log).got


@given(log=_logs())
def test_no_told_story_ends_in_silence_and_no_other_ends_aloud(log: list[Alert]) -> None:
    reader = Reader()
    known: set[str] = set()
    for each in log:
        if each.explain.supersedes and known.intersection(each.explain.supersedes):
            known.add(each.story_id)
        before = len(reader.got)
        (verdict,) = reader.take(each)
        for notice in reader.got[before:]:
            if isinstance(notice, Digest):
                known |= {
                    held.story_id
                    for held in notice.held
                    if held.kind not in ("retracted", "superseded")
                }
        if each.kind in ("retracted", "superseded"):
            assert verdict == ("ending" if each.story_id in known else "untold")
        elif each in reader.got[before:]:
            known.add(each.story_id)
        if each.kind == "retracted":
            known.discard(each.story_id)


@given(log=_logs(), budget=st.integers(1, 3))
def test_the_budget_and_the_cooldown_hold_for_what_is_merely_due(
    log: list[Alert], budget: int
) -> None:
    log = [replace(a, tickers=("IREN",), moves=(), severity="low") for a in log]
    reader = Reader(budget=budget, always=())
    passed: list[Alert] = []
    for each in log:
        (verdict,) = reader.take(each)
        if verdict == "due":
            week = [p for p in passed if p.known_us > each.known_us - 7 * DAY_US]
            assert len(week) < budget
            own = [p for p in passed if p.story_id == each.story_id]
            assert (
                not own
                or own[-1].kind in ("retracted", "superseded")
                or (own[-1].known_us <= each.known_us - 30 * MINUTE_US)
            )
        if verdict in ("due", "ending", "heir"):
            passed.append(each)
