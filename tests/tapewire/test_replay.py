import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from signals import names
from signals.errors import ConfigError
from signals.messages import Alert, Micros
from signals.policy import Policy
from streams.assemble import assemble_agents
from streams.codec import decode, encode
from streams.recording import Recorded, open_recording, write_recording
from streams.recordings.manifest import Request, Span, check_request, write_manifest
from streams.recordings.partition import PartitionWriter
from streams.replay import Pipeline, alert_lines
from streams.rule_files import pack_rules, shipped_files
from streams.sources.headlines_file import read_headlines
from streams.sources.merge import canonical_order
from streams.sources.prices_file import read_prices
from tapewire import replay
from tapewire.cli import main
from tapewire.recorded_run import replay_reactions
from tapewire.replay_inputs import Span as ReplaySpan

HEADLINES = """\
{"id": "w:1", "title": "IREN signs $9.7bn AI cloud contract with Microsoft", \
"published_at": "2025-11-03T11:37:00Z"}
{"id": "w:2", "title": "A quiet day in the garden", "published_at": "2025-11-03T12:00:00Z"}
"""
PRICES = """\
time,ticker,price
2025-10-31T19:59:59Z,IREN,60.75
2025-10-31T19:59:59Z,SPY,682.06
2025-11-03T14:30:00Z,IREN,73.07
2025-11-03T14:30:00Z,SPY,685.67
2025-11-03T14:31:00Z,IREN,72.50
2025-11-03T14:36:00Z,IREN,72.10
"""


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    headlines, prices = tmp_path / "headlines.jsonl", tmp_path / "prices.csv"
    headlines.write_text(HEADLINES, encoding="utf-8")
    prices.write_text(PRICES, encoding="utf-8")
    return headlines, prices


def words(files: tuple[Path, Path], *more: str) -> list[str]:
    return ["replay", "--headlines", str(files[0]), "--prices", str(files[1]), *more]


def test_files_in_alerts_out_with_an_honest_last_line(
    files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "alerts.jsonl"

    assert main(words(files, "--out", str(out))) == 0

    raw = out.read_bytes()
    bodies = [json.loads(line) for line in raw.splitlines()]
    assert bodies[0]["kind"] == "new"
    assert [body["revision"] for body in bodies] == list(range(1, len(bodies) + 1))
    assert all(encode(decode(line, Alert)) == line for line in raw.splitlines())
    moves = [move for move in bodies[-1]["moves"] if move["milestone"] == "level:+0.20"]
    assert moves[0]["raw"] == pytest.approx(73.07 / 60.75 - 1)
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("8 records read")
    assert f"0 refused, 0 late, 0 dead, {len(bodies)} alerts" in last
    assert last.endswith(f"sha256 {hashlib.sha256(raw).hexdigest()}")


def test_moves_are_adjusted_by_the_benchmark_of_the_settings(
    files: tuple[Path, Path], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # IREN is on Nasdaq; this file knows SPY and no QQQ.
    abnormal = []
    for benchmark in ("SPY", "QQQ"):
        monkeypatch.setenv("TAPEWIRE_BENCHMARKS", f"XNAS={benchmark}")
        assert main(words(files)) == 0
        last = json.loads(capfd.readouterr().out.splitlines()[-1])
        levels = [move for move in last["moves"] if move["milestone"] == "level:+0.20"]
        abnormal.append(levels[0]["abnormal"])

    assert abnormal == [pytest.approx(73.07 / 60.75 - 685.67 / 682.06), None]


def test_alerts_go_to_stdout_and_the_counts_beside_them(
    files: tuple[Path, Path], capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(words(files, "--json")) == 0

    captured = capfd.readouterr()
    summary = json.loads(captured.err)
    assert len(captured.out.splitlines()) == summary["alerts"] > 0
    assert summary["read"] == {"market.prices.v1": 6, "news.headlines.v1": 2}
    assert summary["sha256"] == hashlib.sha256(captured.out.encode()).hexdigest()


def test_a_line_that_cannot_be_read_is_refused_and_the_others_count(
    files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "alerts.jsonl"
    with files[0].open("a", encoding="utf-8") as file:
        file.write('{"id": "w:3", "title": "No time"}\nnot json\n')

    assert main(words(files, "--out", str(out))) == 1

    captured = capsys.readouterr()
    assert captured.err.count("refused: ") == 2
    assert "headlines.jsonl:3" in captured.err
    assert "2 refused" in captured.out
    assert out.read_bytes() != b""


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ([], "give --headlines FILE and --prices FILE, or --recording FOLDER"),
        (["--headlines", "a"], "give --headlines FILE and --prices FILE"),
        (["--recording", "r", "--headlines", "a"], "--recording stands alone"),
        (["--broker", "embedded"], "give --headlines FILE and --prices FILE"),
        (["--broker", "embedded", "--recording", "r"], "--broker must be HOST:PORT"),
        (["--recording", "r", "--compare"], "--compare goes with --through-agents"),
        (["--recording", "r", "--all"], "--all goes with --to-prefix"),
        (["--recording", "r", "--through-agents", "--to-prefix", "x."], "a prefix of its own"),
        (["--recording", "r", "--jobs", "0"], "--jobs must be 1 or more, was 0"),
        (["--recording", "r", "--raw", "--jobs", "2"], "--jobs is for files alone"),
        (["--recording", "r", "--raw", "--speed", "-1"], "--speed must be 0 or more"),
        (["--recording", "r", "--raw", "--out", "/none/x"], "its folder is not there"),
        (["--broker", "127.0.0.1:9", "--speed", "1"], "are for headlines and prices; add --raw"),
        (["--headlines", "/none", "--prices", "/none"], "/none"),
        (["--recording", "/none"], "/none is no recording"),
        (["--headlines", "a", "--prices", "b", "--policy", "/none"], "/none is none"),
        (["--headlines", "a", "--prices", "b", "--rules", "/none"], "/none is none"),
    ],
)
def test_wrong_usage(given: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", *given]) == 2
    assert sentence in capsys.readouterr().err


def test_a_policy_file_changes_what_is_crossed(
    files: tuple[Path, Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("levels: [0.15]\n", encoding="utf-8")

    assert main(words(files, "--policy", str(policy))) == 0

    out = capfd.readouterr().out
    assert "level:+0.15" in out
    assert "level:+0.20" not in out


def test_the_function_gives_the_alerts(files: tuple[Path, Path]) -> None:
    report = replay(*files)

    assert {alert.anchor for alert in report.alerts} == {"IREN"}
    with pytest.raises(ConfigError):
        replay(files[0], files[0].parent / "none.csv")


def _record(files: tuple[Path, Path], folder: Path) -> list[Alert]:
    """Write what one worker on one partition would have written."""
    topics: dict[str, list[Recorded]] = {names.JOURNAL: [], names.REACTIONS: []}
    pipeline = Pipeline(assemble_agents(Policy()))
    alerts = []
    for topic, key, message in canonical_order(read_headlines(files[0]), read_prices(files[1])):
        for output in pipeline.feed(topic, key, message):
            if isinstance(output.message, Alert):
                alerts.append(output.message)
            if output.topic in topics:
                records = topics[output.topic]
                records.append(
                    Recorded(
                        topic=output.topic,
                        partition=0,
                        offset=len(records),
                        key=output.key.encode(),
                        value=encode(output.message),
                        timestamp_ms=output.event_us // 1000,
                    )
                )
    # A killed worker sends its last records again.
    again = topics[names.REACTIONS][-1]
    topics[names.REACTIONS].append(
        Recorded(
            topic=again.topic,
            partition=0,
            offset=again.offset + 1,
            key=again.key,
            value=again.value,
            timestamp_ms=again.timestamp_ms,
        )
    )
    write_recording(folder, topics)
    return alerts


def test_a_recording_gives_the_alerts_byte_for_byte(
    files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alerts = _record(files, tmp_path / "recording")
    out = tmp_path / "alerts.jsonl"

    assert main(["replay", "--recording", str(tmp_path / "recording"), "--out", str(out)]) == 0

    assert out.read_bytes() == b"".join(alert_lines(alerts))
    assert "reactions recomputed from the journal: equal" in capsys.readouterr().out


def test_reactions_that_the_journal_does_not_give_are_said(
    files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("levels: [0.15]\n", encoding="utf-8")
    _record(files, tmp_path / "recording")
    given = ["--recording", str(tmp_path / "recording"), "--policy", str(policy)]

    assert main(["replay", *given, "--out", str(tmp_path / "alerts.jsonl")]) == 1
    assert "reactions recomputed from the journal: " in capsys.readouterr().err


# ---- parts of a recorded run ---------------------------------------------------------------------


def test_a_recording_in_parquet_gives_the_same_bytes(
    files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pyarrow")
    _record(files, tmp_path / "lines")
    _as_parquet(tmp_path / "lines", tmp_path / "parquet")
    outs = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]

    for name, out in zip(("lines", "parquet"), outs, strict=True):
        assert main(["replay", "--recording", str(tmp_path / name), "--out", str(out)]) == 0

    assert outs[0].read_bytes() == outs[1].read_bytes() != b""
    assert capsys.readouterr().out.count("reactions recomputed from the journal: equal") == 2


def _as_parquet(lines: Path, folder: Path, *, is_complete: bool = True, first: int = 0) -> None:
    """Write a recording in JSON Lines again as Parquet, as one of everything from ``first`` on."""
    request = Request(prefix="tapewire.", topics=("all",))
    check_request(folder, request)
    recording, spans, files, rule_sets = open_recording(lines), {}, [], set()
    for topic in recording.topics:
        writer = PartitionWriter(folder, topic, 0)
        end = first
        for item in recording.read(topic):
            if item.offset >= first:
                writer.add(item)
                end = item.offset + 1
        writer.finish()
        files += writer.entries
        rule_sets |= writer.rule_sets
        spans[topic] = {"0": Span(first=first, end=end, log_start=0)}
    write_manifest(folder, request, spans, files, rule_sets=rule_sets, is_complete=is_complete)


def test_a_recording_that_was_stopped_says_so_and_is_not_compared(
    files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pyarrow")
    alerts = _record(files, tmp_path / "lines")
    _as_parquet(tmp_path / "lines", tmp_path / "parquet", is_complete=False)
    out = tmp_path / "alerts.jsonl"

    assert main(["replay", "--recording", str(tmp_path / "parquet"), "--out", str(out)]) == 0

    captured = capsys.readouterr()
    assert "was stopped before its end" in captured.err
    assert "recomputed" not in captured.out
    assert out.read_bytes() == b"".join(alert_lines(alerts))


def test_a_recording_that_begins_late_is_refused(
    files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pyarrow")
    _record(files, tmp_path / "lines")
    _as_parquet(tmp_path / "lines", tmp_path / "parquet", first=1)

    assert main(["replay", "--recording", str(tmp_path / "parquet")]) == 2

    error = capsys.readouterr().err
    assert "has reactions.v1 only from offset 1 of partition 0" in error
    assert "cannot be told exactly" in error


def test_a_recording_of_other_rules_says_which(
    files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pyarrow")
    _record(files, tmp_path / "lines")
    _as_parquet(tmp_path / "lines", tmp_path / "parquet")
    path = tmp_path / "parquet" / "manifest.json"
    manifest = json.loads(path.read_bytes())
    manifest["rule_sets"] = [{"version": "2019.01", "hash": "ab" * 32}]
    path.write_text(json.dumps(manifest), encoding="utf-8")

    assert main(["replay", "--recording", str(tmp_path / "parquet"), "--out", "/dev/null"]) == 0
    assert "was made with rule set 2019.01 (abababababab)" in capsys.readouterr().err


def test_a_span_of_a_recorded_run_is_a_part_of_its_alerts(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    alerts = _record(files, tmp_path / "recording")
    recording = open_recording(tmp_path / "recording")
    agents = assemble_agents(Policy())
    moments = sorted({item.timestamp_ms * 1000 for item in recording.read(names.REACTIONS)})
    middle_us = Micros(moments[len(moments) // 2])

    before = replay_reactions(recording, agents, span=ReplaySpan(to_us=middle_us)).alerts
    after = replay_reactions(recording, agents, span=ReplaySpan(from_us=middle_us)).alerts

    assert before != []
    assert after != []
    # One partition: each alert is in the one or in the other, byte for byte.
    assert before + after == alerts
    known_us = alerts[0].known_us
    as_of = replay_reactions(recording, agents, span=ReplaySpan(as_of_us=known_us)).alerts
    assert as_of == [alert for alert in alerts if alert.known_us <= known_us]


def test_rules_of_a_pack_decide(
    files: tuple[Path, Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    shipped = shipped_files()
    other = json.loads(shipped.rules) | {"version": "1999.01"}
    pack = tmp_path / "rules.pack"
    pack.write_bytes(pack_rules(replace(shipped, rules=json.dumps(other).encode())))

    assert main(words(files, "--rules", str(pack))) == 0

    bodies = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert {body["rules"]["version"] for body in bodies} == {"1999.01"}
    assert main(words(files, "--rules", "/none")) == 2


def test_two_processes_give_the_same_bytes(files: tuple[Path, Path], tmp_path: Path) -> None:
    outs = [tmp_path / "one.jsonl", tmp_path / "two.jsonl"]

    for jobs, out in zip(("1", "2"), outs, strict=True):
        assert main(words(files, "--jobs", jobs, "--out", str(out))) == 0

    assert outs[0].read_bytes() == outs[1].read_bytes() != b""
