"""Readings of labelled headlines scored: by the rules that ship, or fitted and read crosswise."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from signals.messages import Micros
from signals.reading import Document, read_document
from signals.reading.ruleset import RuleSet
from streams.clock import monotonic_s
from streams.crosswise import rules_by_fold
from streams.rule_labels import Label, fold_of_groups
from streams.rule_loading import load_rules
from streams.rule_scores import Found, Scores, found_in, score_readings

__all__ = ["Evaluation", "evaluate", "to_lines", "to_page"]

_MICROS_A_DAY = 86_400_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """The scores, what they were measured on, and how fast the titles were read."""

    rule_set: str
    crosswise: bool
    scores: Scores
    headlines_per_s: float


def evaluate(labels: Sequence[Label], *, crosswise: bool) -> Evaluation:
    """Return how the rules read labelled headlines.

    Args:
        labels: the truth, in any order.
        crosswise: fit the weights anew for each fold on the other ones, so that no row is read
            by weights that saw it; else the rules that ship read all rows.
    """
    rules = load_rules()
    found: dict[int, Found] = {}
    seconds = 0.0
    for reading_rules, places in _jobs(labels, rules, crosswise=crosswise):
        started = monotonic_s()
        found |= {place: _read(labels[place], reading_rules) for place in places}
        seconds += monotonic_s() - started
    issuers = {
        ticker: company.tickers
        for company in rules.companies.values()
        for ticker in company.tickers
    }
    return Evaluation(
        rule_set=rules.id.hash,
        crosswise=crosswise,
        scores=score_readings(labels, [found[place] for place in range(len(labels))], issuers),
        headlines_per_s=len(labels) / max(seconds, 1e-9),
    )


def _jobs(
    labels: Sequence[Label], rules: RuleSet, *, crosswise: bool
) -> Iterator[tuple[RuleSet, list[int]]]:
    """Yield rule sets with the places of the labels that each one is to read."""
    if not crosswise:
        yield rules, list(range(len(labels)))
        return
    yield from rules_by_fold(labels)


def _read(label: Label, rules: RuleSet) -> Found:
    document = Document(title=label.title, lang=label.lang, published_us=_month_us(label.month))
    return found_in(read_document(document, rules))


def _month_us(month: str) -> Micros | None:
    if not month:
        return None
    year, number = (int(part) for part in month.split("-"))
    return Micros((date(year, number, 1) - date(1970, 1, 1)).days * _MICROS_A_DAY)


# ---- telling -------------------------------------------------------------------------------------


def to_lines(evaluation: Evaluation) -> Iterator[str]:
    """Yield the tables as Markdown, which is read as well in a terminal."""
    scores = evaluation.scores
    yield from _types(scores)
    yield ""
    yield "| figure | value | rows |"
    yield "| --- | ---: | ---: |"
    for name, counts in (("US and Korea", scores.tickers), ("world", scores.tickers_world)):
        for key, one in counts.items():
            told = f"{one.f1:.3f} (P {one.precision:.3f} R {one.recall:.3f})"
            yield f"| tickers F1, {name}, {key} | {told} | {one.right + one.missed} |"
    for name, share in (
        ("money exact", scores.money),
        ("status", scores.status),
        ("direction", scores.direction),
        ("precision at confidence 0.8 and more", scores.sure),
        *((f"exact set, {key}", share) for key, share in scores.exact_sets.items()),
    ):
        yield f"| {name} | {share.share:.3f} | {share.of} |"
    yield f"| calibration error (ECE) | {scores.calibration_error:.3f} | |"
    for key, alarms in scores.false_alarms.items():
        yield f"| false alarms per 1,000 untyped, {key} | {alarms:.1f} | |"
    yield f"| headlines per second, one core | {evaluation.headlines_per_s:,.0f} | |"
    yield ""
    yield "| confidence from | readings | mean confidence | right |"
    yield "| ---: | ---: | ---: | ---: |"
    for one_bin in scores.bins:
        yield (
            f"| {one_bin.low:.1f} | {one_bin.count} | {one_bin.confidence:.3f} |"
            f" {one_bin.right:.3f} |"
        )
    yield ""
    yield from _confusions(
        {"status": scores.status_confusion, "direction": scores.direction_confusion}
    )


def _types(scores: Scores) -> Iterator[str]:
    yield "| | P | R | F1 | 95 % | F1, hard forgiven | labelled |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for key, one in scores.types.items():
        yield (
            f"| {key} | {one.precision:.3f} | {one.recall:.3f} | {one.f1:.3f} |"
            f" {one.low:.2f}-{one.high:.2f} | {one.forgiving:.3f} | {one.right + one.missed} |"
        )


def _confusions(by_name: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    for name, counted in by_name.items():
        told = ", ".join(f"{pair} {count}" for pair, count in list(counted.items())[:16])
        yield f"{name}, label>found: {told}"
        yield ""


def to_page(evaluations: Sequence[Evaluation], labels: Sequence[Label], *, day: str) -> str:
    """Return ``docs/quality.md``: the day, the split, and every figure with where it comes from."""
    folds = fold_of_groups(labels)
    groups = [
        f"{fold + 1} ({', '.join(sorted(name for name, own in folds.items() if own == fold))})"
        for fold in sorted(set(folds.values()))
    ]
    lines = [
        "# Quality: how well headlines are read",
        "",
        f"Made by `tapewire rules eval --labels FILE --report docs/quality.md` on {day}, over"
        f" {len(labels):,} labelled headlines",
        f"(rule set `{evaluations[0].rule_set[:12]}`). The headlines are other people's and not"
        " part of the repository.",
        "",
        f"Split: {len(groups)} folds; all sources of a month are in one fold, an undated source and"
        " its translation too:",
        *(f"{group}." for group in groups),
        "",
        "In both parts the vocabulary of the rules, the status and direction rules, and the"
        " gazetteer were written with these",
        "headlines in sight: only the weights, the calibration and the thresholds are held out in"
        " the first part; calibration and threshold of a fold",
        "come from out-of-fold logits of weights that saw the fold. The fit also counts the rule"
        " files' own examples.",
        "F1 counts every row; `hard forgiven` is F1 where a borderline headline read as nothing is"
        " no miss. Tickers, money,",
        "status and direction: rows where the type was found. `exact set` forgives hard rows.",
        "",
    ]
    for one in evaluations:
        lines += [
            "## Held out: fitted and scored crosswise" if one.crosswise else "## In sample",
            "",
        ]
        lines += [*to_lines(one)]
    return "\n".join(lines).rstrip() + "\n"
