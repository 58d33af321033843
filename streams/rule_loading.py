"""The compiled rules as the reader takes them."""

import hashlib

import orjson

from signals.errors import ConfigError
from signals.reading.rates import Rates
from signals.reading.ruleset import ENGINE, RuleSet, build_rules
from streams.rules import RATES_JSON, RULES_JSON

__all__ = ["load_rules"]


def load_rules(rules: bytes | None = None, rates: bytes | None = None) -> RuleSet:
    """Load the rule set that ships, or compiled bytes of one's own.

    Raises: ConfigError for rules of another engine, or compiled with other rates than these.
    """
    raw = RULES_JSON.read_bytes() if rules is None else rules
    rates_raw = RATES_JSON.read_bytes() if rates is None else rates
    plain = orjson.loads(raw)
    if plain.get("engine") != ENGINE:
        raise ConfigError(
            f"the rules are of engine {plain.get('engine')}, this tapewire has engine {ENGINE}; "
            "compile them again, or install the tapewire that made them"
        )
    if plain["rates"] != hashlib.sha256(rates_raw).hexdigest():
        raise ConfigError("rules.json was compiled with other rates; run tapewire rules compile")
    table = orjson.loads(rates_raw)
    known = Rates(table["source"], table["days"], table["per_euro"])
    return build_rules(plain, known, hashlib.sha256(raw).hexdigest())
