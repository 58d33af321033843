"""All the files that decide, in one: what ``tapewire rules pack`` keeps and ``--rules`` runs.

Rules alone do not reproduce an old alert log: amounts in USD rest on the rates, moves on the table
of sessions, alerts on listings and relations. A pack holds the very bytes of all five, so that it
has the same hash and gives the same bytes on any machine with the same engine.
"""

from dataclasses import dataclass, fields
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import orjson

from signals.errors import ConfigError
from signals.reading.ruleset import ENGINE

__all__ = ["RuleFiles", "pack_rules", "read_pack", "shipped_files", "unpack_rules"]

_FORMAT = 1
_MAKE = "tapewire rules pack --out FILE"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFiles:
    """The bytes of each file; the tables are JSON, too."""

    rules: bytes
    rates: bytes
    sessions: bytes
    listings: bytes
    relations: bytes


_SHIPPED = {
    "rules": ("signals.reading", "rules.json"),
    "rates": ("signals.reading", "rates.json"),
    "sessions": ("signals.market", "sessions.json"),
    "listings": ("signals.subjects", "listings.json"),
    "relations": ("signals.subjects", "relations.json"),
}


def shipped_files() -> RuleFiles:
    """Return the files that ship."""
    return RuleFiles(
        **{name: (files(package) / file).read_bytes() for name, (package, file) in _SHIPPED.items()}
    )


def pack_rules(rules: RuleFiles) -> bytes:
    """Return the files as one: canonical JSON, each of them as its text."""
    document = {
        "format": _FORMAT,
        "engine": ENGINE,
        "tapewire": version("tapewire"),
        "version": orjson.loads(rules.rules)["version"],
        "files": {field.name: getattr(rules, field.name).decode() for field in fields(rules)},
    }
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS) + b"\n"


def unpack_rules(raw: bytes, name: str) -> RuleFiles:
    """Return the files of a pack; ``name`` is used in errors.

    Raises: ConfigError for what is no pack, and for one of another engine, with what to install.
    """
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise ConfigError(f"{name} is no pack of rules: {error}; make one by {_MAKE}") from error
    if not isinstance(document, dict) or document.get("format") != _FORMAT:
        raise ConfigError(f"{name} is no pack of rules; make one by {_MAKE}")
    if document["engine"] != ENGINE:
        raise ConfigError(
            f"{name} is rule set {document['version']} for engine {document['engine']}, this "
            f"tapewire has engine {ENGINE}; pip install tapewire=={document['tapewire']}"
        )
    held: dict[str, str] = document.get("files") or {}
    missing = [field.name for field in fields(RuleFiles) if field.name not in held]
    if missing:
        raise ConfigError(f"{name} lacks {', '.join(missing)}; make it anew by {_MAKE}")
    return RuleFiles(**{x.name: held[x.name].encode() for x in fields(RuleFiles)})


def read_pack(path: Path) -> RuleFiles:
    """Return the files of a pack on disk. Raises: ConfigError, as ``unpack_rules``."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"--rules {path} cannot be read: {error.strerror}; name a pack"
        ) from error
    return unpack_rules(raw, str(path))
