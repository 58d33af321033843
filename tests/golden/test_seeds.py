"""The two documents that the project starts from, end to end, with the prices of their days.

Their text stays outside the repository. Days' figures are facts, the minutes between them are made.
"""

from datetime import date
from pathlib import Path

import pytest

from signals.messages import Alert, Headline, Micros, PriceSample
from signals.policy import MINUTE_US
from tapewire.recorded import read_tape
from tests.builders import OPEN, headline, shown, us
from tests.golden.folding import Folded, case, fold

_DIGEST_US = us("2025-11-03T15:06:32Z")  # 10:06 in New York
_ARTICLE_US = us("2025-12-17T05:58:42Z")
_DAYS = [date(2025, 10, 31), date(2025, 11, 3)]
_TICKERS = ("CIFR", "DELL", "IREN", "MSFT")
_AWS = "Cipher Mining signs 15-year lease with Amazon Web Services worth $5.5 billion"


def _seed(shared: Path, start: str) -> str:
    (path,) = (shared / "data" / "seeds").glob(f"{start}_*.txt")
    return path.read_text(encoding="utf-8")


def _digest(shared: Path) -> Headline:
    title = "2025-11-04 AI 뉴스"
    return headline(title, at=_DIGEST_US, id="digest", lang="ko", body=_seed(shared, "000"))


def _article(shared: Path) -> Headline:
    body = _seed(shared, "003")
    title = next(line for line in body.splitlines() if line.startswith("아마존, "))
    return headline(title, at=_ARTICLE_US, id="article", lang="ko", body=body)


def _telling() -> Headline:
    """The first page of that morning, at 06:37 in New York."""
    return min(case("microsoft_iren_dell"), key=lambda one: one.received_us)


def _tape() -> list[PriceSample]:
    return list(read_tape(days=_DAYS, tickers=_TICKERS))


def _between(folded: Folded, *parties: str) -> Alert:
    (alert,) = (
        alert
        for alert in folded.standing("deal")
        if {party.id for party in alert.parties} == set(parties)
    )
    return alert


@pytest.fixture(scope="module")
def digest(request: pytest.FixtureRequest) -> Folded:
    """The digest alone, with the day's prices."""
    return fold([_digest(request.getfixturevalue("shared")), *_tape()])


@pytest.fixture(scope="module")
def both(request: pytest.FixtureRequest) -> Folded:
    """The telling of 06:37, and the digest after it."""
    return fold([_telling(), _digest(request.getfixturevalue("shared")), *_tape()])


def test_with_the_telling_before_the_open_the_crossing_is_dated_to_the_open(both: Folded) -> None:
    contract = _between(both, "org:iren", "org:microsoft")
    gap = next(
        move for move in contract.moves if (move.ticker, move.milestone) == ("IREN", "level:+0.20")
    )

    assert (gap.to_us, gap.relation) == (us(OPEN), "after")
    assert ("IREN", "level:+0.20", 0.2028) in shown(contract)
    assert both.told_by(contract) == {_telling().id, "digest"}
    assert both.about_moves("IREN") == []


def test_with_the_digest_alone_the_move_is_unexplained_and_then_explained(digest: Folded) -> None:
    moves = digest.about_moves("IREN")

    first, then, *others = moves
    assert (first.kind, then.kind) == ("unexplained_move", "explained")
    assert us(OPEN) <= first.known_us < us(OPEN) + 2 * MINUTE_US
    assert then.known_us == _DIGEST_US
    assert then.headline_ids == ("digest",)
    # The digest tells two more events of IREN; they correct nothing.
    assert {alert.kind for alert in others} <= {"confirmed"}


def test_gap_of_dell_is_its_own_reaction_and_its_day_a_loss(shared: Path) -> None:
    pages = [one for one in case("microsoft_iren_dell") if one.received_us < us(OPEN)]
    folded = fold([*pages, _digest(shared), *_tape()])
    servers = _between(folded, "org:dell", "org:iren")

    assert ("DELL", "level:+0.03", 0.0317) in shown(servers)
    assert ("DELL", "close", -0.0117) in shown(servers)


def test_what_dell_did_is_no_spill_over(both: Folded, digest: Folded) -> None:
    for folded in (both, digest):
        spilled = [
            threshold.name
            for alert in folded.alerts
            for threshold in alert.explain.thresholds
            if threshold.name.startswith("spill-over")
        ]
        assert [name for name in spilled if "DELL" in name] == []
        assert folded.about_moves("DELL") == []


def test_day_of_dell_is_a_loss_whatever_the_digest_says(digest: Folded) -> None:
    servers = _between(digest, "org:dell", "org:iren")
    ratios = {
        (move.relation, move.milestone): round(move.raw, 4)
        for move in servers.moves
        if move.ticker == "DELL" and move.raw is not None
    }
    claims = [claim for _, claim in servers.claims if claim.ticker == "DELL"]

    assert claims
    assert all(claim.direction == "up" for claim in claims)
    assert all(ratio < 0 for key, ratio in ratios.items() if key[1] == "close")


@pytest.mark.parametrize("is_told", [True, False], ids=["told", "untold"])
def test_gap_of_cipher_is_explained_by_its_own_lease_alone(shared: Path, is_told: bool) -> None:
    lease = headline(_AWS, at=us("2025-11-03T11:30:00Z"), id="lease", lang="en")
    found = fold([*([lease] if is_told else []), _telling(), _digest(shared), *_tape()])
    moves = found.about_moves("CIFR")

    if is_told:
        (deal,) = found.standing("deal", "org:cipher", "org:amazon")
        assert ("CIFR", "level:+0.20", 0.23) in shown(deal)
        assert moves == []
        contract = _between(found, "org:iren", "org:microsoft")
        assert "CIFR" not in {move.ticker for move in contract.moves}
    else:
        assert moves[0].kind == "unexplained_move"
        assert {alert.kind for alert in moves[1:]} <= {"confirmed"}
        assert [(move.milestone, round(move.raw or 0, 4)) for move in moves[-1].moves] == [
            ("session", 0.23)
        ]
        assert moves[-1].headline_ids == ()


def test_talks_of_the_article_are_another_story_than_the_lease_of_the_digest(shared: Path) -> None:
    folded = fold([_digest(shared), _article(shared)])
    lease, talks = sorted(
        folded.standing("deal", "org:amazon", "org:openai"), key=lambda alert: alert.known_us
    )

    assert (lease.status, talks.status) == ("signed", "in_talks")
    assert [amount.usd for amount in lease.amounts] == [38_000_000_000]
    assert Micros(_DIGEST_US) <= lease.known_us < talks.known_us
