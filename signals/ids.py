"""Derived ids: the same inputs give the same id, in every run and on every machine."""

import hashlib

__all__ = ["derive_id"]


def derive_id(kind: str, *parts: object) -> str:
    """Return ``kind`` and 24 hex digits of SHA-256 over the parts, like ``ev_3f09…``.

    Each part is written as text with its length before it, so that ("ab", "c") and ("a", "bc")
    differ.
    """
    digest = hashlib.sha256()
    for part in (kind, *parts):
        text = str(part).encode()
        digest.update(b"%d:" % len(text))
        digest.update(text)
    return f"{kind}_{digest.hexdigest()[:24]}"
