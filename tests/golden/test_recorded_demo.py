"""The recorded headlines and tape, read by the rules that ship: what the demo has to show."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import pytest

from signals.messages import Alert, Headline, PriceSample
from signals.policy import DAY_US, Policy
from streams.assemble import assemble_agents
from streams.codec import encode
from streams.replay import Pipeline, order_alerts
from tapewire.recorded import read_recorded_headlines, read_tape
from tests.builders import CLOSE, OPEN, canonical, feed, run, shown, us
from tests.interleavings import ORDERS, depth_first, fold_in_order

_FRIDAY, _MONDAY = date(2025, 10, 31), date(2025, 11, 3)
_TOLD = "wire-a:1103-07"  # the first telling of the contract, at 06:37 in New York
_LABELS = Path(__file__).parents[1] / "tapewire" / "recorded_labels.jsonl"


def _inputs(*, tickers: Iterable[str], until: str | None = None) -> list[Headline | PriceSample]:
    """The headlines (those published before ``until``) and the minutes of two days."""
    headlines = [h for h in read_recorded_headlines() if not until or h.published_us < us(until)]
    tape = read_tape(days=[_FRIDAY, _MONDAY], tickers=tuple(tickers))
    return canonical([*headlines, *tape])


@pytest.fixture(scope="module")
def folded() -> tuple[Pipeline, list[Alert]]:
    # Nothing is forgotten: the tests ask for every telling of a story, the quiet ones' too.
    pipeline = Pipeline(assemble_agents(Policy(disorder_us=90 * DAY_US)))
    inputs = _inputs(tickers=("IREN", "MSFT", "CIFR", "AMZN"))
    return pipeline, order_alerts(feed(pipeline, inputs))


@pytest.fixture(scope="module")
def alerts(folded: tuple[Pipeline, list[Alert]]) -> list[Alert]:
    return folded[1]


@pytest.fixture(scope="module")
def standing(alerts: list[Alert]) -> list[Alert]:
    """The last alert of every story that stands."""
    last = {alert.alert_id: alert for alert in alerts}
    return [a for a in last.values() if a.kind not in ("retracted", "superseded")]


def _deals(alerts: Iterable[Alert], *parties: str) -> list[Alert]:
    """The deals between just these organisations."""
    return [a for a in alerts if a.type == "deal" and {p.id for p in a.parties} == set(parties)]


def _tellings(pipeline: Pipeline, alert: Alert) -> set[str]:
    """The headlines of an alert's story, also those that changed nothing that it shows."""
    rows = pipeline.state("raise_alerts", alert.anchor)
    story = rows[f"story:{alert.story_id}"]
    told = rows[f"telling:{story.alert.event_ids[0]}"].members
    return {rows[f"event:{member.event_id}"].event.headline_id for member in told}


def test_contract_is_one_story_in_both_languages(
    folded: tuple[Pipeline, list[Alert]], standing: list[Alert]
) -> None:
    (contract,) = _deals(standing, "org:iren", "org:microsoft")
    told = _tellings(folded[0], contract)
    languages = {h.id: h.lang for h in read_recorded_headlines()}

    assert {languages[name] for name in told} == {"en", "ko"}
    assert {
        _TOLD, "paper-ko:1103-14", "newsroom-ko:1103-11", "wire-b:1103-09", "digest-ko:1104-am",
    } <= told  # fmt: skip
    assert (contract.status, contract.tickers) == ("signed", ("IREN", "MSFT"))
    assert [(str(a.usd), a.kind) for a in contract.amounts] == [("9700000000", "deal_value")]
    assert contract.severity == "high"


def test_gap_of_iren_is_dated_to_the_open(standing: list[Alert]) -> None:
    (contract,) = _deals(standing, "org:iren", "org:microsoft")
    moves = {(m.ticker, m.milestone): m for m in contract.moves}

    assert moves["IREN", "level:+0.20"].to_us == us(OPEN)
    assert ("IREN", "level:+0.20", 0.2028) in shown(contract)
    assert moves["IREN", "close"].to_us == us(CLOSE)
    assert ("IREN", "close", 0.1152) in shown(contract)


def test_figure_that_was_corrected_is_no_story_any_more(alerts: list[Alert]) -> None:
    wrong = {a.alert_id for a in alerts if any(x.text.startswith("$97 ") for x in a.amounts)}

    assert len(wrong) == 1
    assert [a.kind for a in alerts if a.alert_id in wrong] == ["new", "superseded"]


def test_lease_of_cipher_explains_its_own_gap(alerts: list[Alert], standing: list[Alert]) -> None:
    (lease,) = _deals(standing, "org:cipher", "org:amazon")

    assert ("CIFR", "level:+0.20", 0.23) in shown(lease)
    assert next(m for m in lease.moves if m.milestone == "level:+0.20").to_us == us(OPEN)
    assert [a for a in alerts if a.type is None and "CIFR" in a.tickers] == []
    (contract,) = _deals(standing, "org:iren", "org:microsoft")
    assert "CIFR" not in {m.ticker for m in contract.moves}


def test_talks_of_december_are_another_story_than_the_lease_of_november(
    folded: tuple[Pipeline, list[Alert]], standing: list[Alert]
) -> None:
    november, december = sorted(
        _deals(standing, "org:amazon", "org:openai"), key=lambda a: a.headline_ids[0][-7:]
    )

    assert [str(a.usd) for a in november.amounts] == ["38000000000"]
    assert {"wire-a:1103-15", "newsroom-ko:1103-18"} <= _tellings(folded[0], november)
    assert {"wire-a:1216-04", "newsroom-ko:1217-03"} <= _tellings(folded[0], december)
    assert "38000000000" not in {str(a.usd) for a in december.amounts}
    assert (november.status, december.status) == ("signed", "in_talks")


def test_noise_raises_no_alert_about_a_listed_company(alerts: list[Alert]) -> None:
    rows = [json.loads(line) for line in _LABELS.read_text(encoding="utf-8").splitlines()]
    noise = {row["id"] for row in rows if not row["events"]}
    told = {name for alert in alerts if alert.tickers for name in alert.headline_ids}

    assert len(noise) > 10
    assert told & noise == set()


def test_every_alert_of_the_contract_stands_without_what_came_after_it() -> None:
    inputs = _inputs(tickers=("IREN",), until="2025-11-04T00:00:00Z")
    declared = assemble_agents(Policy())
    alerts = run(declared, inputs)

    assert len(alerts) > 20
    for known_us in sorted({alert.known_us for alert in alerts if _TOLD in alert.headline_ids}):
        known = [message for message in inputs if message.received_us <= known_us]
        expected = [encode(alert) for alert in alerts if alert.known_us <= known_us]
        assert [encode(alert) for alert in run(declared, known)] == expected


def test_every_alert_is_known_from_the_record_that_raised_it() -> None:
    inputs = _inputs(tickers=("IREN", "CIFR"))
    pipeline = Pipeline(assemble_agents(Policy()))

    for message in inputs:
        assert {a.known_us for a in feed(pipeline, [message])} <= {message.received_us}


@pytest.mark.parametrize("order", ["news first", "alerts last"])
def test_order_of_the_inputs_does_not_matter(order: str) -> None:
    inputs = _inputs(tickers=("IREN",), until="2025-11-04T00:00:00Z")
    declared = assemble_agents(Policy())

    expected = fold_in_order(inputs, declared, depth_first(), repeats=False)

    assert fold_in_order(inputs, declared, ORDERS[order](), repeats=False) == expected


_HASHED = """
from signals.policy import DAY_US, Policy
from streams.assemble import assemble_agents
from streams.replay import replay_raw
from tests.builders import as_input
from tests.golden.test_recorded_demo import _inputs

inputs = _inputs(tickers=("IREN", "CIFR"), until="2025-11-04T00:00:00Z")
print(replay_raw(map(as_input, inputs), assemble_agents(Policy())).sha256())
"""


def test_alert_log_is_the_same_under_every_hash_seed() -> None:
    root = Path(__file__).parents[2]
    hashes = {
        subprocess.run(
            [sys.executable, "-c", _HASHED],
            env=os.environ | {"PYTHONHASHSEED": seed},
            cwd=root,
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert len(hashes) == 1
