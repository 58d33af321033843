"""Rule files: YAML that an analyst edits, compiled into one canonical JSON."""

import hashlib
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import yaml

from signals.errors import ConfigError
from signals.reading.match import is_hangul
from signals.reading.ruleset import ENGINE

__all__ = [
    "RATES_JSON", "RULES_FOLDER", "RULES_JSON", "TRAINED", "compile_rules",
    "curated_companies", "event_files",
    "hand_weights", "own_examples", "read_yaml", "rule_terms",
]  # fmt: skip

_READING = Path(__file__).parent.parent / "signals" / "reading"
RULES_FOLDER = _READING / "rules"
RULES_JSON = _READING / "rules.json"
RATES_JSON = _READING / "rates.json"
VERSION = "2026.11"
TRAINED = "trained"  # in weights.yaml, beside the types: which labels the weights are from

_TERM_KEYS = frozenset({"text", "block_next", "block_prev", "require_any"})
_COMPANY_KEYS = frozenset(
    {"id", "name", "tickers", "p", "parent", "sells", "ko", "en", "guards", "match", "no_match"}
)
_EVENT_KEYS = frozenset(
    {
        "type", "bias", "threshold", "default_status", "amount_kind", "lead_role", "other_role",
        "separate", "geographic", "concepts", "features", "status", "direction", "roles",
        "examples",
    }
)  # fmt: skip
_SETTINGS = frozenset({"bias", "calibration", "threshold", "words"})
_ANYWHERE = 10_000
_LISTED_P = 30  # prominence of a company that nobody curated
_LATIN = re.compile(r"[A-Za-z0-9]")
_SHORT = re.compile(r"[A-Z]{2,3}")  # NEW is a company, New begins a headline


# ---- compiling -----------------------------------------------------------------------------------


def compile_rules(
    folder: Path = RULES_FOLDER,
    rates: Path = RATES_JSON,
    *,
    learned: Mapping[str, Mapping[str, Any]] | None = None,
    words: Collection[str] = (),
    keep_idle: bool = False,
) -> bytes:
    """Compile a folder of rule files into canonical JSON: sorted keys, one form for one meaning.

    The examples stay behind; the hash of the rates goes in, so that one hash covers both.

    Args:
        folder: of rule files.
        rates: the dated exchange rates.
        learned: weights by type, instead of those in ``weights.yaml``.
        words: terms to be concepts of their own (``=term``), besides the learned ones.
        keep_idle: keep features whose weight is zero, as the fit needs them.
    Raises: ConfigError naming the file and entry that makes no sense.
    """
    shared = read_yaml(folder / "concepts.yaml")
    companies = curated_companies(folder) + _listed(folder)
    events = [read_yaml(path) for path in event_files(folder)]
    weights = _weights(folder) if learned is None else learned
    terms = sorted({*words, *_learned_words(weights)})
    patterns = [_pattern(word, "concept", f"={word}") for word in terms]
    patterns += [_pattern(term, "ignore", "ignore") for term in shared["ignore"]]
    patterns += list(_concept_patterns("common", shared["concepts"]))
    for event in events:
        _refuse_unknown(event, _EVENT_KEYS, f"events/{event.get('type')}.yaml")
        patterns += list(_concept_patterns(event["type"], event["concepts"]))
    patterns += list(_place_patterns(read_yaml(folder / "places.yaml")))
    patterns += [row for company in companies for row in _company_patterns(company)]
    compiled = {
        "version": VERSION,
        "engine": ENGINE,
        "trained": _trained(folder) if learned is None else None,
        "rates": hashlib.sha256(rates.read_bytes()).hexdigest(),
        "common_words": _common_words(folder),
        "particles": _particles(read_yaml(folder / "particles_ko.yaml")),
        "units": read_yaml(folder / "units.yaml")["units"],
        "companies": _companies(companies),
        "events": [
            _event(event, weights.get(event["type"], {}), keep_idle=keep_idle) for event in events
        ],
        "patterns": sorted(patterns, key=lambda row: orjson.dumps(row)),
    }
    return orjson.dumps(compiled, option=orjson.OPT_SORT_KEYS) + b"\n"


def event_files(folder: Path) -> list[Path]:
    """Return the files of the event types, by name."""
    return sorted((folder / "events").glob("*.yaml"))


def read_yaml(path: Path) -> Any:
    """Return what a YAML file holds.

    Raises: ConfigError for one that cannot be read.
    """
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_loader())
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f"{path.name} cannot be read: {error}; mend it as YAML") from error


def curated_companies(folder: Path) -> list[dict[str, Any]]:
    """Return the entries of all ``companies*.yaml``."""
    files = sorted(folder.glob("companies*.yaml"))
    return [entry for path in files for entry in read_yaml(path)["companies"]]


def _listed(folder: Path) -> list[dict[str, Any]]:
    """Return the companies that a script takes from public lists; the curated ones come first."""
    path = folder / "companies_listed.json"
    rows = orjson.loads(path.read_bytes()) if path.exists() else []
    return [
        {"id": owner, "name": name, "tickers": tickers, "p": _LISTED_P, "ko": ko, "en": en}
        for owner, name, tickers, ko, en in rows
    ]


def _learned_words(weights: Mapping[str, Mapping[str, Any]]) -> set[str]:
    return {
        name.removeprefix("has:=")
        for learned in weights.values()
        for name in learned
        if name.startswith("has:=")
    }


def _weights(folder: Path) -> dict[str, dict[str, Any]]:
    return {name: row for name, row in _weights_file(folder).items() if name != TRAINED}


def _trained(folder: Path) -> Any:
    return _weights_file(folder).get(TRAINED)


def _weights_file(folder: Path) -> dict[str, Any]:
    path = folder / "weights.yaml"
    found: dict[str, Any] = read_yaml(path) if path.exists() else {}
    return found


@cache
def _loader() -> Any:
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _refuse_unknown(entry: Mapping[str, Any], known: frozenset[str], where: str) -> None:
    unknown = sorted(set(entry) - known)
    if unknown:
        raise ConfigError(f"{where} has {unknown}, which mean nothing; use {sorted(known)}")


def _concept_patterns(
    scope: str, concepts: Mapping[str, Mapping[str, Sequence[Any]]]
) -> Iterator[list[Any]]:
    for name, by_language in concepts.items():
        for terms in by_language.values():
            for term in terms:
                yield _pattern(term, "concept", f"{scope}.{name}")


def _place_patterns(places: Mapping[str, Mapping[str, Any]]) -> Iterator[list[Any]]:
    for country, entry in places.items():
        for term in (*entry.get("ko", ()), *entry.get("en", ())):
            yield _name_pattern(term, "place", country, {})
        for term in entry.get("government", ()):
            yield _name_pattern(term, "government", country, {})


def _company_patterns(entry: Mapping[str, Any]) -> Iterator[list[Any]]:
    _refuse_unknown(entry, _COMPANY_KEYS, f"companies.yaml {entry.get('id')}")
    guards = entry.get("guards", {})
    owner = entry.get("parent", entry["id"])
    for alias in (*entry.get("ko", ()), *entry.get("en", ())):
        plain = str(alias).removeprefix("C:")
        yield _name_pattern(str(alias), "company", owner, guards.get(plain, {}))


def _name_pattern(alias: str, kind: str, ref: str, guard: Mapping[str, Sequence[str]]) -> list[Any]:
    text = alias.removeprefix("C:")
    # A sign of Chinese stands before a word without a space: 美엔비디아.
    flags = "<" if len(text) > 1 or _LATIN.match(text) or is_hangul(text) else ""
    text, flags = text.rstrip("|"), flags + ">"
    if alias.startswith("C:") or _SHORT.fullmatch(text):
        flags += "c"
    elif text[0].isupper():
        flags += "u"
    return [
        text,
        kind,
        ref,
        flags,
        *(list(guard.get(key, ())) for key in ("block_next", "block_prev", "require_any")),
    ]


def _pattern(term: Any, kind: str, ref: str) -> list[Any]:
    entry: Mapping[str, Any] = {"text": term} if isinstance(term, str) else term
    _refuse_unknown(entry, _TERM_KEYS, f"a term of {ref}")
    text, flags = str(entry["text"]), ""
    if text.startswith("C:"):
        text, flags = text[2:], flags + "c"
    if text.endswith("*"):
        text, flags = text[:-1], flags + "*"
    if text.startswith("|"):
        text, flags = text[1:], flags + "<"
    if text.endswith("|"):
        text, flags = text[:-1], flags + ">"
    if _LATIN.match(text[0]):
        flags += "" if "<" in flags else "<"
    if _LATIN.match(text[-1]) and "*" not in flags:
        flags += "" if ">" in flags else ">"
    return [
        text,
        kind,
        ref,
        flags,
        *(list(entry.get(key, ())) for key in ("block_next", "block_prev", "require_any")),
    ]


def _common_words(folder: Path) -> list[str]:
    path = folder / "common_words.yaml"
    by_language = read_yaml(path) if path.exists() else {}
    return sorted({str(word) for words in by_language.values() for word in words})


def _particles(by_case: Mapping[str, Sequence[str]]) -> dict[str, str]:
    tails: dict[str, str] = {}
    for case, particles in by_case.items():
        for particle in particles:
            tails.setdefault(particle, case)
    # A case beats none: "은" is listed once, but "엔" or "도" may be both.
    for case, particles in by_case.items():
        if case:
            tails.update(dict.fromkeys(particles, case))
    return tails


def _companies(entries: Collection[Mapping[str, Any]]) -> list[dict[str, object]]:
    """Return what the reader needs of those that are no units of others, by id."""
    found = (_company(entry) for entry in entries if "parent" not in entry)
    return sorted(found, key=lambda entry: str(entry["id"]))


def _company(entry: Mapping[str, Any]) -> dict[str, object]:
    return {
        "id": entry["id"],
        "name": entry["name"],
        "tickers": [str(ticker) for ticker in entry["tickers"]],
        "prominence": entry["p"],
        "sells": list(entry.get("sells", ())),
    }


def _event(
    entry: Mapping[str, Any], weights: Mapping[str, Any], *, keep_idle: bool
) -> dict[str, object]:
    kind, own = entry["type"], set(entry["concepts"])

    def scoped(name: str) -> str:
        return "|".join(f"{kind}.{part}" if part in own else part for part in name.split("|"))

    rules = dict(entry["features"])
    rules |= {name: _learned(name) for name in weights if name not in _SETTINGS | set(rules)}
    # Platt's scaling: confidence is that of the logit times the scale, plus the shift.
    scale, shift = (float(part) for part in weights.get("calibration", (1.0, 0.0)))
    features = []
    for name, rule in rules.items():
        weight = round(scale * float(weights.get(name, rule.get("weight", 0.0))), 6)
        if weight or keep_idle:
            features.append(_feature(f"{kind}.{name}", rule, weight, scoped))
    return {
        "type": kind,
        "bias": round(scale * float(weights.get("bias", entry["bias"])) + shift, 6),
        "threshold": float(weights.get("threshold", entry["threshold"])),
        "features": features,
        "words": {
            word: round(scale * float(weight), 4)
            for word, weight in weights.get("words", {}).items()
        },
        "status": [
            {"value": rule["value"], "has": [scoped(item) for item in rule["has"]]}
            for rule in entry.get("status", ())
        ],
        "default_status": entry.get("default_status"),
        "direction": {
            name: [scoped(item) for item in items]
            for name, items in entry.get("direction", {}).items()
        },
        "roles": [
            {"trigger": [scoped(item) for item in rule["trigger"]], "cases": rule["cases"]}
            for rule in entry.get("roles", ())
        ],
        "lead_role": entry.get("lead_role", "partner"),
        "other_role": entry.get("other_role", "partner"),
        "amount_kind": entry.get("amount_kind", "other"),
        "separate": entry.get("separate", False),
        "geographic": entry.get("geographic", False),
    }


def _feature(
    name: str, rule: Mapping[str, Any], weight: float, scoped: Callable[[str], str]
) -> dict[str, object]:
    items = rule.get("seq") or rule.get("near") or rule["has"]
    near = "seq" in rule or "near" in rule
    return {
        "id": name,
        "items": [scoped(item) for item in items],
        "ordered": "seq" in rule,
        "within": rule["within"] if near else _ANYWHERE,
        "none": [scoped(item) for item in rule.get("none", ())],
        "whole": rule.get("whole", False),
        "weight": weight,
    }


def _learned(name: str) -> dict[str, Any]:
    """Return the feature that a name in weights.yaml stands for.

    ``has:concept`` is in the clause, ``all:concept`` in the whole text, ``pair:one+other`` has both
    within 30 code points. A concept ``=term`` is that term alone.
    """
    form, _, rest = name.partition(":")
    if form == "has":
        return {"has": [rest]}
    if form == "all":
        return {"has": [rest], "whole": True}
    if form == "pair":
        return {"near": rest.split("+"), "within": 30}
    raise ConfigError(f"weights.yaml names {name}, which no event file has; take it out")


def rule_terms(folder: Path = RULES_FOLDER) -> tuple[str, ...]:
    """Return every term of the concepts that needs no guard, with its marks, each once."""
    shared = read_yaml(folder / "concepts.yaml")["concepts"]
    scopes = [shared] + [read_yaml(path)["concepts"] for path in event_files(folder)]
    terms = {
        term
        for concepts in scopes
        for by_language in concepts.values()
        for listed in by_language.values()
        for term in listed
        if isinstance(term, str) and "|" not in term
    }
    return tuple(sorted(terms))


def hand_weights(folder: Path = RULES_FOLDER) -> dict[str, tuple[dict[str, float], set[str]]]:
    """Return for each type the weights that its file gives, and which of them are pinned."""
    found = {}
    for path in event_files(folder):
        event = read_yaml(path)
        rules = event["features"]
        found[str(event["type"])] = (
            {"bias": float(event["bias"])}
            | {name: float(rule.get("weight", 0.0)) for name, rule in rules.items()},
            {name for name, rule in rules.items() if rule.get("pinned")},
        )
    return found


def own_examples(folder: Path = RULES_FOLDER) -> dict[str, list[tuple[str, bool]]]:
    """Return for each type the texts of its file, and whether they are of the type."""
    found = {}
    for path in event_files(folder):
        event = read_yaml(path)
        told = event.get("examples", {})
        found[str(event["type"])] = [
            (str(text), key == "positive")
            for key in ("positive", "negative")
            for text in told.get(key, ())
        ]
    return found
