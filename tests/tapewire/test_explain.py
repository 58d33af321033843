import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from signals.messages import Alert, Micros
from streams.brokers import Broker
from streams.clients import open_producer
from streams.codec import encode
from streams.topic_admin import apply_topics
from tapewire.cli import main

Build = Callable[..., Alert]


@pytest.fixture
def alerts(alert: Build, tmp_path: Path) -> Path:
    second = alert()
    first = replace(second, revision=1, kind="new", moves=(), known_us=Micros(second.known_us - 9))
    other = replace(first, alert_id="al_0fff")
    path = tmp_path / "alerts.jsonl"
    path.write_bytes(b"".join(encode(each) + b"\n" for each in (first, second, other, first)))
    return path


def test_explains_the_last_revision_and_lists_the_others(
    alerts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", "al_01", "--alerts", str(alerts)]) == 0

    text = capsys.readouterr().out
    assert "Grid One «signs» «$9.7bn» contract" in text
    assert "title 9-14" in text
    assert "«signs»   deal.sign" in text
    assert "level:+0.20  0.2028  ≥  0.2" in text
    assert "high: 8.10 = move 5.00 + amount 3.10" in text
    assert "+20.3 %" in text
    assert "\n    r1 " in text
    assert "\n  * r2 " in text


def test_json_is_the_body(alerts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "al_01", "--alerts", str(alerts), "--revision", "1", "--json"]) == 0

    body = json.loads(capsys.readouterr().out)
    assert (body["revision"], body["kind"]) == (1, "new")


def test_korean(alerts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "al_01", "--alerts", str(alerts), "--lang", "ko"]) == 0
    assert "중요도      높음: 8.10" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["al_9"], 1, "there is no alert al_9 among 4 records"),
        (["al_0"], 2, "al_0 is the beginning of 2 ids; give more of al_0"),
        (["al_01", "--revision", "7"], 1, "has no revision 7"),
    ],
)
def test_what_is_not_there(
    alerts: Path, words: list[str], code: int, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", *words, "--alerts", str(alerts)]) == code
    assert sentence in capsys.readouterr().err


def test_a_file_that_holds_no_alerts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "alerts.jsonl"
    path.write_text('{"alert_id": 1}\n', encoding="utf-8")

    assert main(["explain", "al_01", "--alerts", str(path)]) == 2
    assert "alerts.jsonl:1 is no alert: $.alert_id" in capsys.readouterr().err


async def _put(broker: Broker, prefix: str, values: list[bytes]) -> None:
    await apply_topics(broker.bootstrap, prefix)
    async with open_producer(broker.bootstrap) as producer:
        for value in values:
            await producer.send_and_wait(f"{prefix}alerts.v1", value=value, key=b"IREN")


def test_reads_the_broker(
    embedded_broker: Broker, prefix: str, alert: Build, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(_put(embedded_broker, prefix, [encode(alert())]))
    address = ["--broker", embedded_broker.bootstrap, "--prefix", prefix]

    assert main(["explain", "al_01", *address]) == 0
    assert "Grid One" in capsys.readouterr().out
    assert main(["tail", "--from-start", "--until-idle", "1", "--json", *address]) == 0
    assert json.loads(capsys.readouterr().out)["alert_id"].startswith("al_01")
