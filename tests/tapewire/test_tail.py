import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from signals.alerts.notices import Digest
from signals.messages import Alert, Micros
from signals.policy import DAY_US, MINUTE_US, Policy
from streams.brokers import Broker
from streams.clients import open_producer
from streams.codec import decode, encode
from streams.sinks.alert_reader import AlertReader
from streams.sinks.delivered import DeliveredView
from streams.topic_admin import apply_topics
from tapewire.cli import main
from tapewire.ticker_weeks import TickerWeeks

Build = Callable[..., Alert]
Lines = list[tuple[str, int]]  # alert id and revision; of a digest, its kind and how many it names


@pytest.fixture
def log(alert: Build) -> list[Alert]:
    """A story with three alerts in half an hour, and another one three days later."""
    first = alert(revision=1, kind="new")
    second = replace(first, revision=2, kind="confirmed", known_us=_later(first, MINUTE_US))
    third = replace(first, revision=3, kind="retracted", known_us=_later(first, 9 * MINUTE_US))
    other = replace(
        first, alert_id="al_other", story_id="st_other", known_us=_later(first, 3 * DAY_US)
    )
    return [first, second, third, other]


@pytest.fixture
def alerts(log: list[Alert], tmp_path: Path) -> Path:
    path = tmp_path / "alerts.jsonl"
    path.write_bytes(b"".join(encode(each) + b"\n" for each in log))
    return path


def _later(alert: Alert, by_us: int) -> Micros:
    return Micros(alert.known_us + by_us)


def _lines(text: str) -> Lines:
    bodies = [json.loads(line) for line in text.splitlines()]
    return [
        ("digest", len(body["held"]))
        if body["kind"] == "digest"
        else (body["alert_id"][:8], body["revision"])
        for body in bodies
    ]


def test_shows_what_is_delivered_and_names_the_rest(
    alerts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tail", "--alerts", str(alerts), "--json"]) == 0

    out, err = capsys.readouterr()
    assert _lines(out) == [("al_01234", 1), ("al_01234", 3), ("digest", 1), ("al_other", 1)]
    assert "4 alerts: 3 delivered, 1 held back (cooldown 1) and named in 1 digests" in err
    assert "median 4, p99 4, most 4; delivered: median 3, p99 3, most 3" in err
    digest: Digest = decode(out.splitlines()[2].encode(), Digest)
    assert digest.held[0].held_for == "cooldown"


def test_all_shows_every_transition_as_it_is(
    alerts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tail", "--alerts", str(alerts), "--all", "--json"]) == 0
    assert capsys.readouterr().out.encode() == alerts.read_bytes()


@pytest.mark.parametrize(
    ("lang", "heading", "reason"),
    [("en", "DIGEST · 1 alert held back", "CONFIRMED  high  cooldown  IREN MSFT"),
     ("ko", "모음 · 보류된 알림 1건", "주가 확인  높음  최근 전달  IREN MSFT")],
)  # fmt: skip
def test_a_digest_in_words(
    alerts: Path, lang: str, heading: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tail", "--alerts", str(alerts), "--lang", lang]) == 0

    out = capsys.readouterr().out
    assert heading in out
    assert reason in out
    assert "al_0123456789abcdef01234567 r2" in out


def test_the_policy_of_the_file_decides(
    alerts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("delivery:\n  cooldown: 30 s\n", encoding="utf-8")

    assert main(["tail", "--alerts", str(alerts), "--policy", str(policy), "--json"]) == 0
    assert _lines(capsys.readouterr().out) == [
        ("al_01234", 1), ("al_01234", 2), ("al_01234", 3), ("al_other", 1),
    ]  # fmt: skip


def test_tickers_that_nobody_asked_for_are_left_out(
    alerts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tail", "--alerts", str(alerts), "--ticker", "DELL", "--json"]) == 0

    out, err = capsys.readouterr()
    assert (out, err.split(" and ")[0]) == ("", "4 alerts: 0 delivered, 0 held back")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [(["--all", "--ticker", "IREN"], "--ticker is for what is delivered"),
     (["--since", "noon"], "--since")],
)  # fmt: skip
def test_refuses(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tail", *words]) == 2
    assert sentence in capsys.readouterr().err


def test_weeks_begin_on_monday_and_count_every_ticker(log: list[Alert]) -> None:
    first = log[0]  # Monday 3 November 2025
    sunday = replace(first, tickers=("IREN",), known_us=_later(first, 6 * DAY_US))
    monday = replace(sunday, known_us=_later(first, 7 * DAY_US))
    bare = replace(first, tickers=(), anchor="org:openai")

    assert TickerWeeks.of([first, sunday, monday, bare]) == TickerWeeks(median=1, p99=2, most=2)
    assert TickerWeeks.of([]) == TickerWeeks(median=0, p99=0, most=0)


# ---- on a broker ---------------------------------------------------------------------------------


async def _send(
    broker: Broker, prefix: str, alerts: list[Alert], *, scattered: bool = False
) -> None:
    """Send alerts stamped as the agents do; scattered: each story to another partition."""
    async with open_producer(broker.bootstrap) as producer:
        for alert in alerts:
            number = {"al_other": 1}.get(alert.alert_id, 0) if scattered else None
            await producer.send_and_wait(
                f"{prefix}alerts.v1", value=encode(alert), key=alert.anchor.encode(),
                timestamp_ms=alert.known_us // 1000, partition=number,
            )  # fmt: skip


async def test_what_a_topic_holds_is_read_in_one_order(
    broker: Broker, prefix: str, log: list[Alert]
) -> None:
    await apply_topics(broker.bootstrap, prefix)
    first, second, third, other = log
    between = replace(other, known_us=_later(first, 5 * MINUTE_US))
    await _send(broker, prefix, [between, first, second, third], scattered=True)

    for _ in range(2):
        async with AlertReader(
            broker.bootstrap, prefix=prefix, from_start=True, until_idle_s=0.3
        ) as alerts:
            assert not alerts.is_live
            found = [found async for found in alerts]
            assert alerts.is_live
        assert found == [first, second, between, third]


async def test_what_comes_while_stored_alerts_are_read_comes_after_them(
    broker: Broker, prefix: str, log: list[Alert]
) -> None:
    await apply_topics(broker.bootstrap, prefix)
    first, second, third, other = log
    early = replace(other, known_us=Micros(first.known_us - MINUTE_US))
    await _send(broker, prefix, [first, second], scattered=True)

    async with AlertReader(
        broker.bootstrap, prefix=prefix, from_start=True, until_idle_s=1.0
    ) as alerts:
        await _send(broker, prefix, [early, third], scattered=True)
        found = [found async for found in alerts]

    assert found[:2] == [first, second]
    assert sorted(a.alert_id for a in found[2:]) == sorted([early.alert_id, third.alert_id])


def test_stopped_anywhere_and_started_again_it_shows_the_rest_and_nothing_else(
    embedded_broker: Broker, prefix: str, log: list[Alert], capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(apply_topics(embedded_broker.bootstrap, prefix))
    asyncio.run(_send(embedded_broker, prefix, log))
    words = ["tail", "--broker", embedded_broker.bootstrap, "--prefix", prefix]
    words += ["--until-idle", "0.3", "--json"]
    assert main([*words, "--from-start"]) == 0
    whole = capsys.readouterr().out.splitlines()
    assert _lines("\n".join(whole)) == [
        ("al_01234", 1), ("al_01234", 3), ("digest", 1), ("al_other", 1),
    ]  # fmt: skip

    for shown, alert in ((1, log[0]), (1, log[1]), (2, log[2])):
        since = _iso(alert.known_us)
        assert main([*words, "--since", since]) == 0
        assert capsys.readouterr().out.splitlines() == whole[shown:]


def _iso(at_us: int) -> str:
    return datetime.fromtimestamp(at_us / 1e6, UTC).isoformat()


def test_a_later_start_knows_what_was_told_before_it(
    embedded_broker: Broker, prefix: str, log: list[Alert]
) -> None:
    """Followed from now on, the cooldown of an alert before it holds, and a digest names it."""
    asyncio.run(apply_topics(embedded_broker.bootstrap, prefix))
    asyncio.run(_send(embedded_broker, prefix, log[:1]))

    async def follow() -> list[object]:
        view = DeliveredView(Policy(), reader="tail")
        got: list[object] = []
        async with AlertReader(
            embedded_broker.bootstrap, prefix=prefix, from_start=True, until_idle_s=1.0
        ) as alerts:
            await _send(embedded_broker, prefix, log[1:2])
            async for alert in alerts:
                notices = view.take(alert)
                got += notices if alerts.is_live else ()
        return [*got, *view.flush()]

    (digest,) = asyncio.run(follow())
    assert isinstance(digest, Digest)
    assert [(held.revision, held.held_for) for held in digest.held] == [(2, "cooldown")]


def test_a_signal_ends_it_with_the_digest_that_waits(
    embedded_broker: Broker, prefix: str, log: list[Alert]
) -> None:
    asyncio.run(apply_topics(embedded_broker.bootstrap, prefix))
    other = replace(log[3], known_us=_later(log[1], MINUTE_US))
    asyncio.run(_send(embedded_broker, prefix, [*log[:2], other]))
    words = ["tail", "--broker", embedded_broker.bootstrap, "--prefix", prefix, "--json"]

    with subprocess.Popen(
        [sys.executable, "-m", "tapewire", *words, "--from-start"],
        stdout=subprocess.PIPE,
        text=True,
        env={k: v for k, v in os.environ.items() if not k.startswith("TAPEWIRE_")},
    ) as process:
        assert process.stdout is not None
        shown = process.stdout.readline() + process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        shown += process.stdout.read()

    assert _lines(shown) == [("al_01234", 1), ("al_other", 1), ("digest", 1)]
    assert process.returncode == 130
