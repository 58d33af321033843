"""The rule files: compiled form in step, every example right, a fourth type without code."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from signals.errors import ConfigError
from signals.reading import Document, read_document
from streams.rule_lint import lint_rules
from streams.rule_loading import load_rules
from streams.rules import RULES_FOLDER, RULES_JSON, compile_rules

LITIGATION = """
type: litigation
bias: -2.0
threshold: 0.5
lead_role: party
concepts:
  suit:
    ko: [소송, 제소, 고소]
    en: [sues, sued, lawsuit*]
features:
  suit: {has: [suit], weight: 1.5}
  suit_company: {near: [suit, company], within: 40, weight: 1.5}
examples:
  positive: ["Oracle sues Dell over patents", "네이버, 카카오 상대로 소송 제기"]
  negative: ["Oracle opens office in Seoul"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(RULES_FOLDER, tmp_path / "rules"))


def test_the_compiled_rules_are_in_step_with_the_files() -> None:
    assert RULES_JSON.read_bytes() == compile_rules()


def test_compiling_twice_gives_the_same_bytes() -> None:
    assert compile_rules() == compile_rules()


def test_every_entry_keeps_its_own_examples() -> None:
    assert lint_rules() == ()


def test_compiled_rules_load_faster_than_they_compile() -> None:
    compiling_s = _timed(compile_rules)
    loading_s = min(_timed(load_rules) for _ in range(3))

    assert loading_s < compiling_s


def _timed(work: Callable[[], object]) -> float:
    """The processor's seconds."""
    started_s = time.process_time()
    work()
    return time.process_time() - started_s


def test_the_gazetteer_is_wide_and_names_no_company_twice() -> None:
    rules = load_rules()
    listed = [ticker for company in rules.companies.values() for ticker in company.tickers]

    assert len(rules.companies) >= 250
    assert sorted(listed) == sorted(set(listed))


def test_a_fourth_event_type_is_one_file(folder: Path) -> None:
    (folder / "events" / "litigation.yaml").write_text(LITIGATION, encoding="utf-8")

    rules = load_rules(compile_rules(folder))
    (reading,) = read_document(Document(title="Oracle sues Dell over server patents"), rules)

    assert reading.type == "litigation"
    assert reading.tickers == ("ORCL", "DELL")
    assert lint_rules(folder) == ()
    assert rules.id.hash != load_rules().id.hash


def test_an_example_that_fails_is_named(folder: Path) -> None:
    wrong = LITIGATION.replace("Oracle opens office in Seoul", "Dell sued by supplier")
    (folder / "events" / "litigation.yaml").write_text(wrong, encoding="utf-8")

    (complaint,) = lint_rules(folder)

    assert complaint.entry == "litigation"
    assert "Dell sued by supplier" in complaint.problem


def test_a_key_that_means_nothing_is_refused(folder: Path) -> None:
    path = folder / "events" / "deal.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "\nfuture: 1\n", encoding="utf-8")

    with pytest.raises(ConfigError, match="future"):
        compile_rules(folder)


def test_rules_of_other_rates_are_refused(tmp_path: Path) -> None:
    other = tmp_path / "rates.json"
    other.write_bytes(b'{"days":[],"per_euro":{},"source":"toy"}')

    with pytest.raises(ConfigError, match="rates"):
        load_rules(compile_rules(rates=other))
