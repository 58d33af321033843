"""``tapewire rules eval`` and ``fit`` on labels of our own."""

import hashlib
import json
from pathlib import Path

import pytest
import yaml

from streams.rule_loading import load_rules
from streams.rules import compile_rules
from tapewire.cli import main

MAKERS = ("Halden", "Norvik", "Tyvella", "Arvella", "Pastorel")


def line(title: str, types: list[str], month: int, **fields: object) -> str:
    plain: dict[str, object] = {
        "id": hashlib.sha256(title.encode()).hexdigest()[:12], "lang": "en", "source": "wire",
        "published_at": f"2025-{month:02}-01T00:00:00Z", "title": title, "types": types,
        "tickers": [], "amounts": [], "status": None, "direction": None, "hard": False,
    }  # fmt: skip
    return json.dumps(plain | fields) + "\n"


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "labels.jsonl"
    lines = []
    for month, maker in enumerate(MAKERS, 1):
        for rival in MAKERS:
            lines.append(line(f"{maker} to acquire rival {rival} unit {month}", ["deal"], month))
            lines.append(
                line(f"{maker} opens plant near {rival} town {month}", ["expansion"], month)
            )
            lines.append(line(f"{maker} wins praise of {rival} fans {month}", [], month))
    path.write_text("".join(lines), encoding="utf-8")
    return path


def test_eval_prints_tables(labels: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "eval", "--labels", str(labels)]) == 0

    out = capsys.readouterr().out
    assert "| en deal | " in out
    assert "| headlines per second, one core | " in out


def test_eval_is_json_too_and_crosswise(labels: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "eval", "--labels", str(labels), "--crosswise", "--json"]) == 0

    told = json.loads(capsys.readouterr().out)
    assert told["crosswise"] is True
    assert told["scores"]["rows"] == 75
    assert told["scores"]["types"]["deal"]["f1"] > 0.9


def test_the_report_has_both_parts(labels: Path, tmp_path: Path) -> None:
    page = tmp_path / "quality.md"

    assert main(["rules", "eval", "--labels", str(labels), "--report", str(page)]) == 0

    text = page.read_text(encoding="utf-8")
    assert "## Held out: fitted and scored crosswise" in text
    assert "## In sample" in text


def test_a_fit_is_the_same_twice_and_names_no_company(labels: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "one.yaml", tmp_path / "two.yaml"

    assert main(["rules", "fit", "--labels", str(labels), "--out", str(one)]) == 0
    assert main(["rules", "fit", "--labels", str(labels), "--out", str(two)]) == 0

    text = one.read_text(encoding="utf-8")
    assert text == two.read_text(encoding="utf-8")
    assert not any(maker in text for maker in MAKERS)
    learned = yaml.safe_load(text)
    trained = learned.pop("trained")
    assert trained["labels"] == sum(1 for _ in labels.open())
    assert set(learned) == {"deal", "expansion", "export_control"}
    assert (
        load_rules(compile_rules(learned=learned)).types[0].threshold
        == learned["deal"]["threshold"]
    )


def test_labels_that_are_not_there_are_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "eval", "--labels", "none.jsonl"]) == 2
    assert "none.jsonl cannot be read" in capsys.readouterr().err
