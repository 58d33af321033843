"""Rule files against their own examples."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from signals.reading.model import Document
from signals.reading.reader import company_ids, read_document
from signals.reading.ruleset import RuleSet
from streams.rule_loading import load_rules
from streams.rules import (
    RULES_FOLDER,
    compile_rules,
    curated_companies,
    event_files,
    read_yaml,
)

__all__ = ["Complaint", "lint_rules"]

_CARRIERS_KO = ("{}, 신사업 발표", "{}의 올해 계획")
_CARRIERS_EN = ("{} announces plans", "Shares of {} fall")


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """Something wrong with a rule entry, in a sentence that says how to mend it."""

    entry: str
    problem: str


def lint_rules(folder: Path = RULES_FOLDER) -> tuple[Complaint, ...]:
    """Run every entry's own examples against the folder's rules; none is a clean bill.

    An event type's examples must (not) give the type. A company's ``match`` and ``no_match`` must
    (not) give the company, and each alias without ``require_any`` is tried in carrier sentences.
    """
    rules = load_rules(compile_rules(folder))
    complaints: list[Complaint] = []
    for path in event_files(folder):
        complaints += _lint_event(read_yaml(path), rules)
    for company in curated_companies(folder):
        complaints += _lint_company(company, rules)
    return tuple(complaints)


def _lint_event(entry: Mapping[str, Any], rules: RuleSet) -> Iterator[Complaint]:
    kind = entry["type"]
    examples = entry.get("examples", {})
    if not examples.get("positive") or not examples.get("negative"):
        yield Complaint(entry=kind, problem="needs positive and negative examples; add them")
    for wanted, texts in (
        (True, examples.get("positive", ())),
        (False, examples.get("negative", ())),
    ):
        for text in texts:
            found = {reading.type for reading in read_document(Document(title=text), rules)}
            if (kind in found) != wanted:
                verb = "should" if wanted else "should not"
                yield Complaint(entry=kind, problem=f"{text!r} {verb} be a {kind}")


def _lint_company(entry: Mapping[str, Any], rules: RuleSet) -> Iterator[Complaint]:
    owner = entry.get("parent", entry["id"])
    guards = entry.get("guards", {})
    cases = [(True, text) for text in entry.get("match", ())]
    cases += [(False, text) for text in entry.get("no_match", ())]
    for language, carriers in (("ko", _CARRIERS_KO), ("en", _CARRIERS_EN)):
        for alias in entry.get(language, ()):
            name = str(alias).removeprefix("C:")
            if not guards.get(name, {}).get("require_any"):
                cases += [(True, carrier.format(name)) for carrier in carriers]
    for wanted, text in cases:
        if (owner in company_ids(text, rules)) != wanted:
            verb = "should" if wanted else "should not"
            yield Complaint(entry=str(entry["id"]), problem=f"{text!r} {verb} name {owner}")
