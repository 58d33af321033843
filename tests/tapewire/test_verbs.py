import json
from pathlib import Path

import pytest

from streams.brokers import Broker
from tapewire.cli import main

HEADLINE = {"id": "w:1", "title": "A headline", "published_at": "2025-11-03T11:37:00Z"}


def address(broker: Broker, prefix: str) -> list[str]:
    return ["--broker", broker.bootstrap, "--prefix", prefix]


def test_topics_apply_twice_changes_nothing_and_refuses_other_partitions(
    broker: Broker, prefix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    apply = ["topics", "apply", "--group", "g", *address(broker, prefix)]

    assert main(apply) == 0
    first = capsys.readouterr().out
    assert main([*apply, "--json"]) == 0
    second = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert main([*apply, "--partitions", "3"]) == 2
    refusal = capsys.readouterr().err

    assert f"created    {prefix}alerts.v1  12 partitions" in first
    assert f"{prefix}g-track_reactions-changelog" in first
    assert {change["action"] for change in second} == {"unchanged"}
    assert "has 12 partitions and cannot be given 3" in refusal


def test_ingest_counts_what_it_sent_and_what_it_refused(
    embedded_broker: Broker, prefix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    headlines, prices = tmp_path / "news.jsonl", tmp_path / "prices.csv"
    large = HEADLINE | {"id": "w:2", "body": "x" * (1024 * 1024)}
    lines = [json.dumps(HEADLINE), json.dumps(large), "{", json.dumps(HEADLINE | {"id": "w:3"})]
    headlines.write_text("\n".join(lines), encoding="utf-8")
    prices.write_text("time,ticker,price\n2025-11-03T14:30:00Z,IREN,73.07\n", encoding="utf-8")
    at = address(embedded_broker, prefix)
    assert main(["topics", "apply", *at]) == 0

    code = main(["ingest", "headlines", str(headlines), *at])
    news = capsys.readouterr()
    assert main(["ingest", "prices", str(prices), *at]) == 0
    tape = capsys.readouterr()

    assert code == 1
    assert news.out.splitlines()[-1].startswith("sent 2 headlines, refused 2, already there 0, in ")
    assert "news.jsonl:2" in news.err
    assert "1048576" in news.err
    assert "news.jsonl:3" in news.err
    assert tape.out.startswith("sent 1 prices, refused 0, already there 0, in ")
    assert tape.out.endswith("of 2025-11-03T14:30:00Z to 2025-11-03T14:30:00Z\n")


def test_ingest_makes_no_topic(
    embedded_broker: Broker, prefix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "news.jsonl"
    path.write_text(json.dumps(HEADLINE), encoding="utf-8")

    for _ in range(2):
        assert main(["ingest", "headlines", str(path), *address(embedded_broker, prefix)]) == 1
        assert "is not there; run tapewire topics apply" in capsys.readouterr().err


def test_doctor_looks_at_the_broker_and_its_topics(
    embedded_broker: Broker, prefix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    at = address(embedded_broker, prefix)

    assert main(["doctor", *at]) == 1
    before = capsys.readouterr().out
    assert main(["topics", "apply", *at]) == 0
    capsys.readouterr()
    assert main(["doctor", "--json", *at]) == 0
    checks = json.loads(capsys.readouterr().out)["checks"]

    assert "fail  topics: not there" in before
    assert "tapewire topics apply" in before
    states = {check["name"]: check["state"] for check in checks}
    assert states["topics"] == states["broker"] == states["policy"] == states["rules"] == "ok"
    assert {"python", "faust-streaming", "mode-streaming", "aiokafka"} <= set(states)


def test_doctor_says_how_to_mend_a_policy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("storey: 1 day\n", encoding="utf-8")
    monkeypatch.setenv("TAPEWIRE_POLICY", str(policy))

    assert main(["doctor"]) == 1

    out = capsys.readouterr().out
    assert "fail  policy: " in out
    assert "line 1: 'storey' is no key" in out
    assert "mend the file that TAPEWIRE_POLICY names" in out


def test_rules_lint_says_what_does_not_hold(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rules", "lint"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "rules: 0 complaints"
    assert main(["rules", "lint", "--folder", str(tmp_path / "none")]) == 2
    assert "--folder must name a folder" in capsys.readouterr().err


def test_a_worker_without_topics_says_so(
    embedded_broker: Broker, prefix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["worker", "--web-port", "0", *address(embedded_broker, prefix)]) == 2
    assert "run tapewire topics apply" in capsys.readouterr().err
