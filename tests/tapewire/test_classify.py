import json
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tapewire import classify
from tapewire.cli import main

DEAL = {"id": "a:1", "title": "IREN signs $9.7bn AI cloud contract with Microsoft"}


def run(*lines: str | bytes, words: Sequence[str] = ()) -> tuple[int, list[dict[str, Any]], str]:
    given = b"".join((x if isinstance(x, bytes) else x.encode()) + b"\n" for x in lines)
    done = subprocess.run(
        [sys.executable, "-m", "tapewire", "classify", *words],
        input=given,
        capture_output=True,
        check=False,
        timeout=60,
    )
    return done.returncode, [json.loads(x) for x in done.stdout.splitlines()], done.stderr.decode()


def test_one_line_out_for_each_in_with_the_fields_of_the_contract() -> None:
    quiet = {"id": "a:2", "title": "A quiet day in the garden", "lang": "en"}
    code, answers, _ = run(json.dumps(DEAL), json.dumps(quiet))

    assert code == 0
    assert [answer["id"] for answer in answers] == ["a:1", "a:2"]
    assert answers[1]["events"] == []
    (event,) = answers[0]["events"]
    assert event["type"] == "deal"
    assert 0 < event["confidence"] <= 1
    assert sorted(event["tickers"]) == ["IREN", "MSFT"]
    assert event["status"] == "signed"
    assert event["direction"] is None
    wanted = {"value": "9700000000", "currency": "USD", "usd": "9700000000", "kind": "deal_value"}
    assert wanted.items() <= event["amounts"][0].items()
    assert {party["role"] for party in event["parties"]} == {"supplier", "buyer"}
    for span in event["evidence"]:
        assert DEAL["title"][span["start"] : span["end"]] == span["text"]
        assert span["field"] == "title"
        assert span["rule"]
    assert {"term", "quantities", "places", "authority", "counterpart"} <= event.keys()


@pytest.mark.parametrize(
    ("line", "document_id", "error"),
    [
        ("{", None, "must be one JSON object in UTF-8"),
        ("", None, "must be one JSON object in UTF-8"),
        (b'{"id": "x", "title": "\xff"}', None, "must be one JSON object in UTF-8"),
        ("[1]", None, "must be a JSON object, was [1]"),
        ('{"id": "x"}', "x", "$.title: must be given in a Document"),
        ('{"title": "x"}', None, "$.id: must be given in a Document"),
        ('{"id": "", "title": "x"}', "", "id must be 1 to 512 characters"),
        ('{"id": true, "title": "x"}', None, "$.id: must be a string, was a boolean"),
        ('{"id": "x", "title": 7}', "x", "$.title: must be a string, was a whole number"),
        ('{"id": "x", "title": "t", "published_at": "soon"}', "x", "ISO 8601"),
        ('{"id": "x", "title": "t", "published_at": 5}', "x", "$.published_at: must be a string"),
    ],
)
def test_a_line_that_cannot_be_read_has_its_answer(
    line: str | bytes, document_id: str | None, error: str
) -> None:
    code, answers, err = run(line, json.dumps(DEAL))

    assert code == 1
    assert answers[0]["id"] == document_id
    assert error in answers[0]["error"]
    assert "events" not in answers[0]
    assert answers[1]["events"]
    assert "1 lines could not be read" in err


def test_reads_a_file_and_a_byte_order_mark_and_numbers_as_ids(tmp_path: Path) -> None:
    path = tmp_path / "headlines.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(DEAL | {"id": 7, "extra": 1}).encode() + b"\r\n")

    code, answers, _ = run(words=[str(path)])

    assert (code, answers[0]["id"], len(answers[0]["events"])) == (0, 7, 1)


def test_a_missing_file_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["classify", "/none.jsonl"]) == 2
    assert "/none.jsonl cannot be read" in capsys.readouterr().err


def test_won_has_usd_only_with_a_day_or_a_rate_of_its_own() -> None:
    title = "삼성전자, 현대차와 15조원 공급 계약 체결"
    undated = {"id": "1", "title": title}
    dated = undated | {"published_at": "2025-12-17T06:00:00+09:00"}

    _, answers, _ = run(json.dumps(undated), json.dumps(dated), json.dumps(dated | {"id": "2"}))

    amounts = [answer["events"][0]["amounts"][0] for answer in answers]
    assert amounts[0]["value"] == amounts[1]["value"] == "15000000000000"
    assert amounts[0]["usd"] is None
    assert 9e9 < float(amounts[1]["usd"]) < 12e9
    assert answers[1]["events"] == answers[2]["events"]


def test_answers_each_line_before_the_next_one_comes() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "tapewire", "classify"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for number in range(3):
            line = json.dumps(DEAL | {"id": str(number)}).encode()
            process.stdin.write(line + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["id"] == str(number)
        process.stdin.close()
    assert process.returncode == 0


def test_a_reader_that_goes_away_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "many.jsonl"
    path.write_text((json.dumps(DEAL) + "\n") * 500, encoding="utf-8")
    command = f"'{sys.executable}' -m tapewire classify '{path}' | head -n 1"

    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)

    assert len(done.stdout.splitlines()) == 1
    assert done.stderr == ""


def test_loads_neither_faust_nor_kafka_nor_prometheus() -> None:
    code = (
        "import sys; from tapewire.cli import main; main(['classify']); "
        "heavy = {'faust', 'mode', 'aiokafka', 'prometheus_client', 'asyncio'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input="", capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"


def test_the_function_gives_readings() -> None:
    day = datetime(2025, 11, 3, tzinfo=UTC)

    (reading,) = classify(DEAL["title"], published_at=day)

    assert (reading.type, reading.deal_status) == ("deal", "signed")
    with pytest.raises(ValueError, match="must have a time zone"):
        classify(DEAL["title"], published_at=datetime(2025, 11, 3))  # noqa: DTZ001 - the fault
