"""An alert checked: whether it agrees with itself, and whether its inputs give it again."""

import argparse
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from signals.alerts.audit import Fault, audit_alert
from signals.messages import Alert
from signals.policy import Policy
from streams.codec import encode, to_json
from streams.compare import MISSING, Difference, differences
from streams.policy_file import load_policy
from streams.rule_files import read_pack
from streams.settings import Settings
from tapewire.columns import cut
from tapewire.deciding import Again, Evidence, decide_again
from tapewire.figures import Lang, clock_line
from tapewire.running import settings_of

__all__ = ["check_alert"]

_WIDEST = 72  # of a value, in places of a terminal
_MOST = 10  # differing fields that are shown
_SENTENCES: Mapping[Lang, Mapping[str, str]] = {
    "en": {
        "agrees": "It agrees with itself: thresholds, severity, ids, times and moves.",
        "faults": "It does not agree with itself:",
        "no_inputs": "Not decided again: name its inputs (--headlines and --prices, --recording, "
        "or --broker).",
        "equal": "Decided again from {records} records of {topics} received by then: the same, "
        "byte for byte.",
        "differs": "Decided again from {records} records of {topics}: {places} fields differ "
        "(said / found):",
        "not_given": "Decided again from {records} records of {topics}: this revision does not "
        "come of them.",
        "other_revisions": "  of the alert they give the revisions {revisions}",
    },
    "ko": {
        "agrees": "스스로 일치합니다: 임계값, 중요도, 식별자, 시각, 변동.",
        "faults": "스스로 일치하지 않습니다:",
        "no_inputs": "다시 판정하지 않았습니다: 입력을 지정하십시오 (--headlines와 --prices, "
        "--recording 또는 --broker).",
        "equal": "그때까지 수신된 {topics} 레코드 {records}개로 다시 판정: 바이트까지 같습니다.",
        "differs": "{topics} 레코드 {records}개로 다시 판정: {places}개 필드가 다릅니다 "
        "(기록 / 재판정):",
        "not_given": "{topics} 레코드 {records}개로 다시 판정: 이 개정은 나오지 않습니다.",
        "other_revisions": "  이 알림에서 나온 개정: {revisions}",
    },
}


def check_alert(alert: Alert, arguments: argparse.Namespace) -> int:
    """Print what is wrong with an alert, and return 0 where nothing is, else 1.

    Without inputs (a file of alerts alone) only what the alert says of itself is checked.
    Raises: ConfigError as ``decide_again``.
    """
    settings = Settings.from_env(os.environ, policy=arguments.policy)
    policy = load_policy(settings.policy)
    faults = audit_alert(alert, policy)
    again = decide_again(alert, _evidence(arguments, policy)) if _has_inputs(arguments) else None
    differing = _differing(alert, again)
    if arguments.json:
        print(to_json(_plain(alert, faults, again, differing), indent=True))
    else:
        print("\n".join(_lines(alert, faults, again, differing, arguments.lang)))
    holds = not faults and (again is None or (again.alert is not None and not differing))
    return 0 if holds else 1


def _has_inputs(arguments: argparse.Namespace) -> bool:
    if arguments.alerts is None or arguments.broker or arguments.prefix:
        return True
    return bool(arguments.headlines) or arguments.recording is not None


def _evidence(arguments: argparse.Namespace, policy: Policy) -> Evidence:
    return Evidence(
        settings=settings_of(arguments),
        policy=policy,
        rules=None if arguments.rules is None else read_pack(arguments.rules),
        headlines=tuple(arguments.headlines),
        prices=tuple(arguments.prices),
        bar=arguments.bar,
        recording=arguments.recording,
        raw=arguments.raw,
    )


def _differing(alert: Alert, again: Again | None) -> list[Difference]:
    if again is None or again.alert is None:
        return []
    said, found = (orjson.loads(encode(one)) for one in (alert, again.alert))
    return list(differences(said, found))


def _lines(
    alert: Alert,
    faults: Iterable[Fault],
    again: Again | None,
    differing: list[Difference],
    lang: Lang,
) -> Iterator[str]:
    says = _SENTENCES[lang]
    yield f"{alert.alert_id} r{alert.revision}  {clock_line(alert.known_us, lang)}"
    wrong = [f"  {fault}" for fault in faults]
    yield says["faults" if wrong else "agrees"]
    yield from wrong
    if again is None:
        yield says["no_inputs"]
        return
    given = {"records": f"{again.records:,}", "topics": ", ".join(again.of)}
    if again.alert is None:
        yield says["not_given"].format(**given)
        if again.given:
            revisions = ", ".join(map(str, again.given))
            yield says["other_revisions"].format(revisions=revisions)
        return
    if not differing:
        yield says["equal"].format(**given)
        return
    yield says["differs"].format(**given, places=len(differing))
    for place in differing[:_MOST]:
        yield f"  {place.path}: {_value(place.a)} / {_value(place.b)}"


def _value(value: object) -> str:
    return "-" if value is MISSING else cut(to_json(value), _WIDEST)


def _plain(
    alert: Alert, faults: Iterable[Fault], again: Again | None, differing: list[Difference]
) -> dict[str, Any]:
    decided: dict[str, Any] | None = None
    if again is not None:
        decided = {
            "found": again.alert is not None,
            "revisions": list(again.given),
            "records": again.records,
            "topics": list(again.of),
            "differences": [place.path for place in differing],
        }
    return {
        "alert_id": alert.alert_id,
        "revision": alert.revision,
        "faults": [
            {"path": fault.path, "said": fault.said, "expected": fault.expected} for fault in faults
        ],
        "decided_again": decided,
    }
