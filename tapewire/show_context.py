"""What stands around an alert, in words: how new it is, what is claimed, what else could it be."""

from collections.abc import Sequence

from signals.messages import Alert, Claim, Novelty
from tapewire.columns import table
from tapewire.figures import Lang, percent
from tapewire.labels import word

__all__ = ["claim_text", "confounder_lines", "novelty_text"]

_SPANS = {
    "PT12H": ("12 h", "12시간"),
    "PT24H": ("24 h", "24시간"),
    "P3D": ("3 d", "3일"),
    "P5D": ("5 d", "5일"),
    "P7D": ("7 d", "7일"),
}


def novelty_text(novelty: Novelty | None, lang: Lang) -> str:
    """Return how many tellings came before, by window where that grows; empty for a bare move."""
    if novelty is None:
        return ""
    if novelty.days_since is None:
        return "첫 보도" if lang == "ko" else "first telling"
    parts: list[str] = []
    last = 0
    for one in novelty.counts:
        if one.count > last:
            english, korean = _SPANS.get(one.window, (one.window, one.window))
            earlier = f"{one.count} earlier in" if not parts else f"{one.count} in"
            parts.append(f"{korean} 내 {one.count}건" if lang == "ko" else f"{earlier} {english}")
            last = one.count
    if parts:
        return f"앞선 보도 {', '.join(parts)}" if lang == "ko" else ", ".join(parts)
    days = f"{novelty.days_since:.0f}"
    if lang == "ko":
        return f"7일 내 첫 보도, 앞선 보도는 {days}일 전"
    return f"first in 7 d, the one before {days} d earlier"


def claim_text(claims: Sequence[tuple[str, Claim]], lang: Lang) -> str:
    """Return the moves that headlines tell of, each with the headline that says so."""
    shown = []
    for headline_id, claim in claims:
        far = word(claim.direction, lang) if claim.ratio is None else percent(claim.ratio)
        shown.append(f"{claim.ticker or claim.party} {far} ({headline_id})")
    return " · ".join(shown)


def confounder_lines(alert: Alert, lang: Lang) -> list[str]:
    """Return the stories that could explain a move, with their scores, the best first."""
    rows = []
    for one in alert.confounders:
        notes = [word(one.role, lang)] if one.role == "related" else []
        if alert.type is not None and one.event_id in alert.event_ids:
            notes.append("이 건" if lang == "ko" else "this story")
        rows.append(
            (
                one.ticker,
                f"{one.score:.2f}",
                word(one.type, lang),
                one.headline_id,
                ", ".join(notes),
            )
        )
    return list(table(rows))
