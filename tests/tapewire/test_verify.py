import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from signals import names
from signals.messages import Alert
from streams.brokers import Broker
from streams.clients import open_producer
from streams.codec import encode
from streams.recording import Recorded, write_recording
from tapewire.cli import main
from tapewire.running import run_quietly

Build = Callable[..., Alert]


@pytest.fixture
def log(alert: Build) -> list[Alert]:
    """Three revisions of one alert, and another alert."""
    return [*(alert(revision=n) for n in (1, 2, 3)), alert(alert_id="al_f", story_id="st_f")]


def _write(path: Path, alerts: Iterable[Alert]) -> str:
    path.write_bytes(b"".join(encode(alert) + b"\n" for alert in alerts))
    return str(path)


def _record(folder: Path, alerts: Iterable[Alert], *, topic: str = names.ALERTS) -> str:
    records = [
        Recorded(
            topic=topic, partition=0, offset=n, key=one.anchor.encode(), value=encode(one),
            timestamp_ms=1,
        )
        for n, one in enumerate(alerts)
    ]  # fmt: skip
    write_recording(folder, {topic: records})
    return str(folder)


def _verify(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = main(["verify", *words])
    told = capsys.readouterr()
    return code, told.err if code == 2 else told.out


def test_equal_logs_are_equal_in_any_order_and_repeats_count_once(
    log: list[Alert], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a = _write(tmp_path / "a.jsonl", log)
    b = _write(tmp_path / "b.jsonl", [*log[::-1], log[1]])

    code, told = _verify(capsys, a, b)

    assert code == 0
    assert told.splitlines()[-1] == "equal: 4 records are the same, 0 are not"
    assert told.splitlines()[4].split() == [names.ALERTS, "4", "0", "0", "0", "0", "1"]


def test_a_record_that_differs_is_shown_with_its_first_place_and_both_values(
    log: list[Alert], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = replace(log[1], moves=(replace(log[1].moves[0], raw=0.2029, z=None),))
    a = _write(tmp_path / "a.jsonl", log)
    b = _write(tmp_path / "b.jsonl", [log[0], changed, *log[2:]])

    code, told = _verify(capsys, a, b)

    assert code == 1
    assert told.split("\n\n")[2].splitlines() == [
        f"differs: alerts.v1, key IREN, {log[1].alert_id}, revision 2",
        "  $.moves[0].raw   (and 1 more place)",
        "    A 0.2028",
        "    B 0.2029",
    ]
    assert told.endswith("different: 3 records are the same, 1 are not\n")


def test_a_missing_and_an_extra_record_are_shown_by_side(
    log: list[Alert], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a = _write(tmp_path / "a.jsonl", log[1:])
    b = _write(tmp_path / "b.jsonl", log[:-1])

    code, told = _verify(capsys, a, b)

    assert code == 1
    heads = [line for line in told.splitlines() if line.startswith("only")]
    assert heads == [
        "only in A: alerts.v1, key IREN, al_f, revision 2",
        f"only in B: alerts.v1, key IREN, {log[0].alert_id}, revision 1",
    ]


def test_one_byte_more_in_the_same_json_is_told_as_that(
    log: list[Alert], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a = _write(tmp_path / "a.jsonl", log[:1])
    (tmp_path / "b.jsonl").write_bytes(b" " + encode(log[0]) + b"\n")

    code, told = _verify(capsys, a, str(tmp_path / "b.jsonl"))

    assert code == 1
    assert "the same JSON, written in another way" in told


def test_a_log_that_contradicts_itself_is_not_even_equal_to_itself(
    log: list[Alert], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a = _write(tmp_path / "a.jsonl", [*log, replace(log[0], severity="low")])

    code, told = _verify(capsys, a, a)

    assert code == 1
    assert "contradicts itself: alerts.v1, key IREN" in told
    assert '  $.severity\n    A first "high"\n    A later "low"\n' in told
    assert "one id with two contents, 1 times in A and 1 times in B" in told


def test_only_so_many_differences_of_each_kind_are_shown(
    log: list[Alert], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = _write(tmp_path / "a.jsonl", log), _write(tmp_path / "b.jsonl", [])

    for most in (0, 2, 9):
        code, told = _verify(capsys, a, b, "--show", str(most))
        assert code == 1
        assert told.count("only in A: ") == min(most, len(log))
        assert told.endswith("different: 0 records are the same, 4 are not\n")


@pytest.mark.parametrize(
    ("tail", "said"),
    [
        (b'{"alert_id": "al_1", "rev', ":5 is torn, the file ends in the middle of an alert"),
        (b"time,ticker,price\n", ":5 is no alert: "),
        (b"\n", ":5 is no alert: "),
        (b"[]\n", ":5 is no alert, it is not an object"),
        (b'{"revision": 1, "anchor": "IREN"}\n', ":5 is no alert: alert_id was 'not there'"),
        (b'{"alert_id": "al_1", "revision": true}\n', ":5 is no alert: revision was True"),
    ],
)
@pytest.mark.parametrize("more", [(), ("--last-state",)])
def test_a_file_that_is_no_alert_log_is_refused_with_its_line(
    log: list[Alert],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    tail: bytes,
    said: str,
    more: Sequence[str],
) -> None:
    a = _write(tmp_path / "a.jsonl", log)
    (tmp_path / "b.jsonl").write_bytes(Path(a).read_bytes() + tail)

    code, told = _verify(capsys, a, str(tmp_path / "b.jsonl"), *more)

    assert code == 2
    assert f"b.jsonl{said}" in told


def test_a_last_line_without_its_end_is_no_difference(
    log: list[Alert], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a = _write(tmp_path / "a.jsonl", log)
    (tmp_path / "b.jsonl").write_bytes(Path(a).read_bytes()[:-1])

    assert _verify(capsys, a, str(tmp_path / "b.jsonl"))[0] == 0


def test_wrong_usage_says_how_to_mend_it(
    log: list[Alert], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a = _write(tmp_path / "a.jsonl", log)
    for words, said in [
        ([a], "name two runs, files, folders or --prefix; 1 were named"),
        ([a, a, a], "3 were named"),
        ([a, str(tmp_path / "none")], "is neither a file of alerts nor a recording's folder"),
        ([a, str(tmp_path)], "is no recording"),
        ([a, a, "--broker", "127.0.0.1:1"], "add --prefix"),
        ([a, a, "--topic", names.JOURNAL], "--topic journal.v1: neither run holds it"),
        ([a, a, "--show", "-1"], "must be 0 or more, was '-1'"),
    ]:
        code, told = _verify(capsys, *words)
        assert (code, said in told) == (2, True), told


def test_a_recording_is_compared_topic_by_topic_and_with_a_log_by_its_alerts(
    log: list[Alert], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alerts = _record(tmp_path / "alerts", log)
    events = _record(tmp_path / "events", log, topic=names.EVENTS)
    both = _verify(capsys, alerts, events, "--json")
    told = json.loads(both[1])

    assert both[0] == 1
    assert [(topic, found["only_a"], found["only_b"]) for topic, found in told["topics"].items()]
    assert told["topics"][names.ALERTS]["only_a"] == told["topics"][names.EVENTS]["only_b"] == 4
    assert _verify(capsys, alerts, events, "--topic", names.ALERTS)[0] == 1
    assert _verify(capsys, alerts, _write(tmp_path / "a.jsonl", log))[0] == 0


def test_a_recording_that_is_not_whole_is_refused(
    log: list[Alert], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a = _write(tmp_path / "a.jsonl", log)
    folder = _record(tmp_path / "recording", log)
    (file,) = Path(folder).glob("alerts*")
    file.write_bytes(file.read_bytes()[:-9])

    assert _verify(capsys, a, folder)[0] == 2


def test_json_has_the_counts_the_places_and_no_value_where_there_is_none(
    log: list[Alert], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a = _write(tmp_path / "a.jsonl", log[:1])
    b = _write(tmp_path / "b.jsonl", [replace(log[0], tickers=("IREN",))])

    code, told = _verify(capsys, a, b, "--json")

    plain = json.loads(told)
    assert (code, plain["equal"], plain["topics"][names.ALERTS]["differing"]) == (1, False, 1)
    assert plain["differences"] == [
        {
            "what": "differing",
            "topic": names.ALERTS,
            "key": "IREN",
            "id": log[0].alert_id,
            "revision": 1,
            "places": [{"path": "$.tickers[1]", "a": "MSFT"}],
        }
    ]


# ---- how they ended ------------------------------------------------------------------------------


def test_other_steps_to_the_same_end_are_equal_by_their_last_state(
    log: list[Alert], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a = _write(tmp_path / "a.jsonl", log)
    b = _write(tmp_path / "b.jsonl", [replace(log[0], status="rumored"), log[2], log[3]])

    assert _verify(capsys, a, b)[0] == 1
    code, told = _verify(capsys, a, b, "--last-state")

    assert code == 0
    hashes = [line for line in told.splitlines() if line.startswith("  sha256 ")]
    assert len(hashes) == 2
    assert len(set(hashes)) == 1
    assert told.endswith("equal: every story and reaction ends the same\n")


def test_stories_that_end_otherwise_are_shown(
    log: list[Alert], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a = _write(tmp_path / "a.jsonl", log)
    b = _write(tmp_path / "b.jsonl", [*log[:2], replace(log[2], status="closed")])

    code, told = _verify(capsys, a, b, "--last-state")

    assert code == 1
    assert f"ends otherwise: story {log[2].story_id} on IREN\n  $.status\n" in told
    assert '    A "signed"\n    B "closed"\n' in told
    assert "stands only in A: story st_f on IREN" in told
    assert told.endswith("different: 2 last states differ\n")
    told = _verify(capsys, a, b, "--last-state", "--show", "1", "--json")[1]
    plain = json.loads(told)
    assert (len(plain["different"]), len(plain["differences"])) == (2, 1)
    assert plain["a"]["sha256"] != plain["b"]["sha256"]


# ---- on a broker ---------------------------------------------------------------------------------


def test_prefixes_are_compared_with_each_other_a_file_and_a_parquet_recording(
    embedded_broker: Broker,
    prefix: str,
    log: list[Alert],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    at, other = ["--broker", embedded_broker.bootstrap], f"other-{prefix}"
    for name, alerts in ((prefix, log), (other, log[:-1])):
        assert main(["topics", "apply", *at, "--prefix", name]) == 0
        run_quietly(_send(embedded_broker, f"{name}{names.ALERTS}", alerts))
    capsys.readouterr()
    file = _write(tmp_path / "a.jsonl", log)

    assert _verify(capsys, file, *at, "--prefix", prefix)[0] == 0
    parquet = str(tmp_path / "parquet")
    assert main(["record", "--out", parquet, *at, "--prefix", prefix]) == 0
    capsys.readouterr()
    assert _verify(capsys, parquet, *at, "--prefix", prefix)[0] == 0
    assert _verify(capsys, parquet, *at, "--prefix", other)[0] == 1
    code, told = _verify(capsys, *at, "--prefix", prefix, "--prefix", other)

    assert code == 1
    assert told.endswith("different: 3 records are the same, 1 are not\n")
    assert "only in A: alerts.v1, key IREN, al_f, revision 2" in told


async def _send(broker: Broker, topic: str, alerts: Iterable[Alert]) -> None:
    producer: AIOKafkaProducer
    async with open_producer(broker.bootstrap) as producer:
        for one in alerts:
            await producer.send_and_wait(topic, encode(one), key=one.anchor.encode())
