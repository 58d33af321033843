"""An alert as lines of text for people, in English or Korean."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TextIO

from signals.messages import Alert, Amount, Evidence, Move, Party
from streams.tables import load_sessions
from tapewire.columns import cut, pad, table
from tapewire.figures import Lang, clock_line, money, percent, price, short_time, volume
from tapewire.labels import field_label, milestone_label, word
from tapewire.show_context import claim_text, confounder_lines, novelty_text

__all__ = [
    "ANSI",
    "PLAIN",
    "Marks",
    "alert_lines",
    "brief_line",
    "explain_lines",
    "marks_for",
]

_LABEL_WIDTH = 11
_LEVEL = "level:"
_BRIEF_TITLE = 72  # columns of a title in a brief line


@dataclass(frozen=True, slots=True)
class Marks:
    """What stands around a span of evidence, and around a heading."""

    evidence: tuple[str, str]
    heading: tuple[str, str]


ANSI = Marks(("\x1b[1;4m", "\x1b[0m"), ("\x1b[1m", "\x1b[0m"))
PLAIN = Marks(("«", "»"), ("", ""))


def marks_for(stream: TextIO) -> Marks:
    """Return the marks that a stream can show: bold and underlined on a terminal, else «»."""
    return ANSI if stream.isatty() else PLAIN


def alert_lines(alert: Alert, *, lang: Lang = "en", marks: Marks = PLAIN) -> list[str]:
    """Return an alert in some ten lines: what, when, who, how much, what the tape did, and why."""
    lines = [
        clock_line(alert.known_us, lang),
        _around(_heading(alert, lang), marks.heading),
        f"  {mark_title(alert, marks)}",
    ]
    lines += _fact_lines(alert, lang)
    lines += _labelled("moves", _move_lines(leading_moves(alert.moves), lang), lang)
    lines += _context_lines(alert, lang)
    lines += _labelled("evidence", _body_evidence(alert, marks), lang)
    lines += _labelled("headlines", [_headlines(alert, lang)], lang)
    identity = f"{alert.alert_id} r{alert.revision}"
    return [*lines, *_labelled("alert", [identity], lang)]


def brief_line(alert: Alert, *, lang: Lang = "en", before: Alert | None = None) -> str:
    """Return an alert in one line: when in New York, what, how much it moved, and the title.

    ``before`` is the revision before it, if that is at hand: then a move that is new is shown.
    """
    what = " ".join(
        word(name, lang) for name in (alert.type, alert.status, alert.direction) if name is not None
    )
    cells = (
        (short_time(alert.known_us, lang), 15),
        (word(alert.kind, lang).upper(), 16),
        (word(alert.severity, lang), 6),
        (what, 22),
        (_newest_move(alert, lang, before), 30),
    )
    start = "  ".join(pad(text, places) for text, places in cells)
    return f"{start}  {cut(alert.title, _BRIEF_TITLE)}"


def _newest_move(alert: Alert, lang: Lang, before: Alert | None) -> str:
    """Return the move that the alert went out for: of those known last, the largest."""
    known = () if before is None else before.moves
    measured = [move for move in alert.moves if move.raw is not None and move not in known]
    move = max(measured, key=lambda move: (move.known_us, _size(move)), default=None)
    if move is None or move.raw is None:
        return " ".join(alert.tickers[:3])
    return f"{move.ticker} {percent(move.raw)} {milestone_label(move.milestone, lang)}"


def explain_lines(alert: Alert, *, lang: Lang = "en", marks: Marks = PLAIN) -> list[str]:
    """Return why an alert went out: all moves, every span with its rule, thresholds, severity."""
    explain = alert.explain
    lines = [
        clock_line(alert.known_us, lang),
        _around(_heading(alert, lang), marks.heading),
        f"  {mark_title(alert, marks)}",
    ]
    lines += _labelled("why", [explain.summary], lang)
    lines += _fact_lines(alert, lang)
    lines += _labelled("moves", _move_lines(alert.moves, lang), lang)
    lines += _context_lines(alert, lang)
    spans = [
        (
            headline_id,
            f"{span.field} {span.start}-{span.end}",
            _around(span.text, marks.evidence),
            span.rule,
        )
        for headline_id, span in explain.evidence
    ]
    lines += _labelled("evidence", list(table(spans)), lang)
    limits = [
        (
            limit.name,
            f"{limit.value:.4g}",
            "≥" if limit.value >= limit.limit else "<",
            f"{limit.limit:.4g}",
        )
        for limit in explain.thresholds
    ]
    lines += _labelled("thresholds", list(table(limits)), lang)
    terms = " + ".join(f"{name} {value:.2f}" for name, value in explain.terms)
    score = f"{word(alert.severity, lang)}: {explain.score:.2f}" + (f" = {terms}" if terms else "")
    lines += _labelled("severity", [score], lang)
    lines += _labelled("rules", [", ".join(explain.rules)], lang)
    lines += _labelled("headlines", alert.headline_ids, lang)
    lines += _labelled("supersedes", [", ".join(explain.supersedes)], lang)
    version = f"{alert.rules.version} ({alert.rules.hash[:12]})"
    lines += _labelled("rule set", [version], lang)
    return [*lines, *_labelled("alert", [f"{alert.alert_id} r{alert.revision}"], lang)]


def _move_lines(moves: Sequence[Move], lang: Lang) -> list[str]:
    return list(table([_move_row(move, lang) for move in moves]))


def _heading(alert: Alert, lang: Lang) -> str:
    parts = [word(alert.kind, lang).upper()]
    if alert.type is not None:
        parts.append(word(alert.type, lang))
    parts += [word(name, lang) for name in (alert.status, alert.direction) if name is not None]
    severity = word(alert.severity, lang)
    parts.append(f"{field_label('severity', lang)} {severity}")
    return " · ".join(parts)


def mark_title(alert: Alert, marks: Marks) -> str:
    """Return the title with the spans of its evidence marked; spans of another text are left."""
    spans = [evidence for _, evidence in alert.explain.evidence if evidence.field == "title"]
    return mark_spans(alert.title, spans, marks)


def mark_spans(text: str, spans: Iterable[Evidence], marks: Marks) -> str:
    """Return the text with the spans that are slices of it marked, overlapping ones as one."""
    fitting = sorted(
        (span.start, span.end) for span in spans if text[span.start : span.end] == span.text
    )
    merged: list[tuple[int, int]] = []
    for start, end in fitting:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        elif end > start:
            merged.append((start, end))
    parts, at = [], 0
    for start, end in merged:
        parts += [text[at:start], _around(text[start:end], marks.evidence)]
        at = end
    return "".join([*parts, text[at:]])


def leading_moves(moves: Sequence[Move]) -> list[Move]:
    """Return, by ticker, the farthest level that was crossed and the last milestone reached."""
    chosen: list[Move] = []
    for ticker in dict.fromkeys(move.ticker for move in moves):
        own = [move for move in moves if move.ticker == ticker]
        crossed = [move for move in own if move.milestone.startswith(_LEVEL)]
        farthest = max(crossed, key=_size, default=None)
        last = max(own, key=lambda move: (move.to_us, _size(move)))
        chosen += [farthest] if farthest is not None else []
        chosen += [last] if last is not farthest and not last.milestone.startswith(_LEVEL) else []
    return chosen


def _move_row(move: Move, lang: Lang) -> tuple[str, ...]:
    milestone = milestone_label(move.milestone, lang)
    if move.relation == "before":
        milestone += " (보도 전)" if lang == "ko" else " (before the news)"
    if move.raw is None:
        why = "; ".join(word(flag, lang) for flag in move.flags) if lang == "ko" else move.note
        return (move.ticker, "–", milestone, why or move.note or "", "", "", "", "")
    prices = (
        ""
        if move.from_price is None or move.to_price is None
        else f"{price(move.from_price)} → {price(move.to_price)}"
    )
    since = f"{field_label('since', lang)} {short_time(move.from_us, lang)}"
    adjusted = (
        "" if move.abnormal is None else f"{field_label('adjusted', lang)} {percent(move.abnormal)}"
    )
    z = "" if move.z is None else f"z {move.z:+.1f}"
    return (
        move.ticker,
        percent(move.raw),
        milestone,
        f"{short_time(move.to_us, lang)}{_session_mark(move, lang)}",
        f"{prices} ({since})" if prices else since,
        adjusted,
        z,
        _aside(move, lang),
    )


def _session_mark(move: Move, lang: Lang) -> str:
    """Return a mark for the first second of a session, where gaps show, and for its early hours."""
    if move.session in ("pre", "post"):
        return f" ({word(move.session, lang)})"
    session = load_sessions().at(move.ticker, move.to_us)
    if session is None or session.open_us != move.to_us:
        return ""
    return " (개장)" if lang == "ko" else " (the open)"


def _aside(move: Move, lang: Lang) -> str:
    """Return the volume, and what else is to be known about the prices."""
    parts = [] if move.volume_ratio is None else [volume(move.volume_ratio, lang)]
    parts += [word(flag, lang) for flag in move.flags]
    return ", ".join(parts)


def _fact_lines(alert: Alert, lang: Lang) -> list[str]:
    lines = _labelled("parties", [_parties(alert.parties, lang)], lang)
    lines += _labelled("tickers", [", ".join(alert.tickers)], lang)
    amounts = " · ".join(_amount(amount, lang) for amount in alert.amounts)
    lines += _labelled("amounts", [amounts], lang)
    lines += _labelled("term", [alert.term.text if alert.term is not None else ""], lang)
    quantities = " · ".join(quantity.text for quantity in alert.quantities)
    lines += _labelled("quantities", [quantities], lang)
    return lines + _labelled("places", [" · ".join(place.name for place in alert.places)], lang)


def _context_lines(alert: Alert, lang: Lang) -> list[str]:
    lines = _labelled("causes", confounder_lines(alert, lang), lang)
    lines += _labelled("claimed", [claim_text(alert.claims, lang)], lang)
    return lines + _labelled("novelty", [novelty_text(alert.novelty, lang)], lang)


def _parties(parties: Sequence[Party], lang: Lang) -> str:
    shown = []
    for party in parties:
        tickers = f", {party.tickers[0]}" if party.tickers else ""
        shown.append(f"{party.name} ({word(party.role, lang)}{tickers})")
    return " · ".join(shown)


def _amount(amount: Amount, lang: Lang) -> str:
    shown = money(amount.value, amount.currency, lang)
    if amount.qualifier != "exact":
        qualifier = word(amount.qualifier, lang)
        trails = lang == "ko" and amount.qualifier == "at_least"
        shown = f"{shown} {qualifier}" if trails else f"{qualifier} {shown}"
    if amount.currency != "USD" and amount.usd is not None:
        shown += f" = {money(amount.usd, 'USD', lang)}"
    return f"{shown} ({word(amount.kind, lang)})"


def _body_evidence(alert: Alert, marks: Marks) -> list[str]:
    """Return the spans whose text the title does not show, once each."""
    texts = [span.text for _, span in alert.explain.evidence if span.text not in alert.title]
    return [" ".join(_around(text, marks.evidence) for text in dict.fromkeys(texts))]


def _headlines(alert: Alert, lang: Lang) -> str:
    count = len(alert.headline_ids)
    if count == 0:
        return ""
    langs = f" ({', '.join(alert.langs)})" if alert.langs else ""
    if lang == "ko":
        return f"{count}건{langs}, 최초 {alert.headline_ids[0]}"
    return f"{count}{langs}, first {alert.headline_ids[0]}"


def _labelled(name: str, texts: Sequence[str], lang: Lang) -> list[str]:
    """Return the texts beside their label, which stands once; nothing where there is no text."""
    present = [text for text in texts if text]
    label = field_label(name, lang)
    return [
        f"  {pad(label if number == 0 else '', _LABEL_WIDTH)} {text}"
        for number, text in enumerate(present)
    ]


def _around(text: str, marks: tuple[str, str]) -> str:
    return f"{marks[0]}{text}{marks[1]}"


def _size(move: Move) -> float:
    return abs(move.raw or 0.0)
