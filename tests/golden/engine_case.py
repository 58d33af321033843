"""Make the case of an engine: a small pack of rules, inputs, and the alert log that they give.

    python -m tests.golden.engine_case

writes ``tests/golden/engine-<ENGINE>/``. It is made once, when an engine is new, and never again
after a release of it: the test holds every later state of the code to these bytes.
"""

import json
import shutil
import tempfile
from datetime import date
from pathlib import Path

import orjson
import yaml

from signals.policy import Policy
from signals.reading.ruleset import ENGINE
from streams.assemble import assemble_agents
from streams.replay import alert_lines, replay_raw
from streams.rule_files import RuleFiles, pack_rules, shipped_files, unpack_rules
from streams.rules import RULES_FOLDER, compile_rules
from streams.sources.headlines_file import read_headlines
from streams.sources.merge import canonical_order
from streams.sources.prices_file import read_prices
from tapewire.recorded import read_recorded_headlines
from tapewire.recorded.tape import write_tape

FOLDER = Path(__file__).parent / f"engine-{ENGINE}"
_COMPANIES = frozenset(
    f"org:{name}"
    for name in ("amazon", "aws", "cipher", "dell", "iren", "microsoft", "nvidia", "openai")
)
_DAYS = (date(2025, 10, 31), date(2025, 11, 3))


def small_rules() -> RuleFiles:
    """The rules that ship with a handful of companies, and tables of one season."""
    shipped = shipped_files()
    with tempfile.TemporaryDirectory() as folder:
        rules = Path(folder) / "rules"
        shutil.copytree(RULES_FOLDER, rules, ignore=shutil.ignore_patterns("companies*"))
        companies = yaml.safe_load((RULES_FOLDER / "companies.yaml").read_text(encoding="utf-8"))
        kept = [
            entry
            for entry in companies["companies"]
            if entry["id"] in _COMPANIES or entry.get("parent") in _COMPANIES
        ]
        (rules / "companies.yaml").write_text(
            yaml.safe_dump({"companies": kept}, allow_unicode=True), encoding="utf-8"
        )
        rates = Path(folder) / "rates.json"
        rates.write_bytes(_few_rates(shipped.rates))
        compiled = compile_rules(rules, rates)
        return RuleFiles(
            rules=compiled,
            rates=rates.read_bytes(),
            sessions=_few_sessions(shipped.sessions),
            listings=_few_entries(shipped.listings),
            relations=_few_entries(shipped.relations),
        )


def _few_rates(raw: bytes) -> bytes:
    table = orjson.loads(raw)
    return orjson.dumps(
        table | {"per_euro": {name: table["per_euro"][name] for name in ("USD", "KRW")}}
    )


def _few_sessions(raw: bytes) -> bytes:
    document = orjson.loads(raw)
    first, last = 29_270_000, 29_450_000  # minutes: the end of August to the end of December 2025
    for mic, rows in document["sessions"].items():
        document["sessions"][mic] = [row for row in rows if first < row[0] < last]
    return orjson.dumps(document)


def _few_entries(raw: bytes) -> bytes:
    document = orjson.loads(raw)
    document["entries"] = [x for x in document["entries"] if x["org"] in _COMPANIES]
    return orjson.dumps(document)


def alert_log(folder: Path, rules: RuleFiles) -> bytes:
    """The alert log of a case's inputs under some rules."""
    records = canonical_order(
        read_headlines(folder / "headlines.jsonl"), read_prices(folder / "prices.csv")
    )
    report = replay_raw(records, assemble_agents(Policy(), rules=rules))
    return b"".join(alert_lines(report.alerts))


def main() -> None:
    """Write the case."""
    FOLDER.mkdir()
    (FOLDER / "rules.json").write_bytes(pack_rules(small_rules()))
    until_us = 1_762_300_000_000_000
    lines = [
        json.dumps({"id": h.id, "title": h.title, "lang": h.lang, "source": h.source,
                    "published_us": h.published_us, "received_us": h.received_us},
                   ensure_ascii=False, sort_keys=True)
        for h in read_recorded_headlines()
        if h.published_us < until_us and h.body is None
    ]  # fmt: skip
    (FOLDER / "headlines.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    write_tape(
        FOLDER / "prices.csv", days=_DAYS, tickers=("IREN", "MSFT", "DELL", "SPY"), minutes=5
    )
    rules = unpack_rules((FOLDER / "rules.json").read_bytes(), "rules.json")
    (FOLDER / "alerts.jsonl").write_bytes(alert_log(FOLDER, rules))


if __name__ == "__main__":
    main()
