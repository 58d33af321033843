"""Old rule sets stay runnable: a pack gives the alert log that it gave when its engine was new.

Where this fails, the code decides otherwise than before. That is what ``ENGINE`` is for: raise it,
make the new engine's case (``tests/golden/engine_case.py``), and take the old one away.
"""

import json
from pathlib import Path

import pytest

from signals.errors import ConfigError
from signals.reading.ruleset import ENGINE
from streams import rules as rule_module
from streams.assemble import rule_set_id
from streams.rule_files import pack_rules, read_pack, shipped_files, unpack_rules
from tests.golden.engine_case import FOLDER, alert_log


def test_a_pack_gives_the_very_alert_log_that_it_gave_when_it_was_made() -> None:
    found = alert_log(FOLDER, read_pack(FOLDER / "rules.json"))

    assert found == (FOLDER / "alerts.jsonl").read_bytes()
    kinds = {json.loads(line)["kind"] for line in found.splitlines()}
    assert {"new", "confirmed"} <= kinds


def test_other_rules_give_another_log_under_another_hash() -> None:
    pack = read_pack(FOLDER / "rules.json")

    assert rule_set_id(pack) != rule_set_id()
    assert alert_log(FOLDER, shipped_files()) != alert_log(FOLDER, pack)


def test_a_pack_does_not_look_at_the_rules_that_ship(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rule_module, "RULES_JSON", Path("gone.json"))
    monkeypatch.setattr(rule_module, "RATES_JSON", Path("gone.json"))

    log = alert_log(FOLDER, read_pack(FOLDER / "rules.json"))
    assert log == (FOLDER / "alerts.jsonl").read_bytes()


def test_packing_keeps_every_byte() -> None:
    shipped = shipped_files()

    assert unpack_rules(pack_rules(shipped), "pack") == shipped
    assert rule_set_id(unpack_rules(pack_rules(shipped), "pack")) == rule_set_id()


def test_a_pack_of_another_engine_is_refused_with_what_to_install() -> None:
    document = json.loads((FOLDER / "rules.json").read_bytes())
    document |= {"engine": ENGINE + 1, "tapewire": "9.9.9"}

    with pytest.raises(ConfigError, match=r"pip install tapewire==9\.9\.9"):
        unpack_rules(json.dumps(document).encode(), "old.json")


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"not json", "is no pack of rules"),
        (b"[]", "is no pack of rules"),
        (b'{"format": 2}', "is no pack of rules"),
        (b'{"format": 1, "engine": %d, "files": {"rules": "x"}}' % ENGINE, "lacks rates"),
    ],
)
def test_what_is_no_pack_is_refused_in_one_sentence(raw: bytes, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        unpack_rules(raw, "mine.json")
