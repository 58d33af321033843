"""A digest as lines of text for people, in English or Korean."""

from signals.alerts.notices import Digest, Held
from tapewire.columns import cut, table
from tapewire.figures import Lang, clock_line, short_time
from tapewire.labels import word
from tapewire.show import PLAIN, Marks

__all__ = ["digest_lines"]

_TITLE = 48  # columns


def digest_lines(digest: Digest, *, lang: Lang = "en", marks: Marks = PLAIN) -> list[str]:
    """Return a digest: when, how many, and a line for each alert that was held back."""
    count = len(digest.held)
    if lang == "ko":
        heading = f"모음 · 보류된 알림 {count}건"
    else:
        heading = f"DIGEST · {count} {'alert' if count == 1 else 'alerts'} held back"
    before, after = marks.heading
    rows = [_row(held, lang) for held in digest.held]
    return [
        clock_line(digest.known_us, lang),
        f"{before}{heading}{after}",
        *(f"  {line}" for line in table(rows)),
    ]


def _row(held: Held, lang: Lang) -> tuple[str, ...]:
    return (
        short_time(held.known_us, lang),
        word(held.kind, lang).upper(),
        word(held.severity, lang),
        word(held.held_for, lang),
        " ".join(held.subjects[:3]),
        cut(held.title, _TITLE),
        f"{held.alert_id} r{held.revision}",
    )
