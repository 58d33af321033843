"""The report: one HTML file without scripts, requests or a clock, in English or Korean."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files

from signals.backtest.forward import HORIZONS
from signals.reading.ruleset import Training
from streams.backtest.observation_table import observations_table
from streams.backtest.page import (
    band,
    cell,
    day_of,
    heat,
    number,
    percent,
    probability,
    row,
    table,
)
from streams.backtest.placebo import DRAWS, NEAR, Placebo
from streams.backtest.plots import curve_plot, horizons_plot
from streams.backtest.statistics import BOOTSTRAPS, LEAST
from streams.backtest.study import GROUPS, Cell, Study
from streams.backtest.words import Lang, Words

__all__ = ["MAIN", "About", "report_html"]

MAIN = "day+1"  # the horizon that the first line is about


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a report says besides its study.

    Attributes:
        command: what made it.
        training: by rule-set hash, what the weights were learned from, where that is known.
    """

    command: str
    training: Mapping[str, Training | None]


def report_html(
    study: Study,
    about: About,
    *,
    lang: Lang,
    langs: Sequence[Lang],
    name: Callable[[str], str],
) -> str:
    """Return the page.

    Args:
        study: the figures.
        about: where they come from.
        lang: of the page.
        langs: those that are written; another one is linked as ``report.<lang>.html``.
        name: the word for a type, status, kind … of the messages.
    """
    words = Words(lang, name)
    links = "".join(
        f'<a href="report.{other}.html" lang="{other}">{words("other")}</a>'
        for other in langs
        if other != lang
    )
    style = (files("streams.backtest") / "report.css").read_text(encoding="utf-8")
    sections = (
        *_top(study, about, words),
        f"<h2>{words('by_horizon')}</h2>",
        _plot(horizons_plot(study, words)),
        _horizons_table(study, words),
        *_cell_tables(study, words),
        *_curve(study, words),
        *_missing(study, words),
        *_origin(study, about, words),
        f"<h2>{words('observations')}</h2>",
        observations_table(study, words),
    )
    body = "\n".join(sections)
    return (
        f'<!DOCTYPE html>\n<html lang="{lang}">\n<head>\n<meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<link rel="icon" href="data:,">\n<title>{words("title")}</title>\n'
        f"<style>\n{style}</style>\n</head>\n<body>\n<header><h1>{words('title')}</h1>{links}</header>\n"
        f"{body}\n</body>\n</html>\n"
    )


def _top(study: Study, about: About, words: Words) -> Iterator[str]:
    entered = study.entered
    counts = words(
        "counts",
        signals=f"{len(study.observations):,}",
        alerts=f"{study.alerts:,}",
        entered=f"{len(entered):,}",
        tickers=len({one.signal.ticker for one in entered}),
        days=len({one.day for one in entered}),
    )
    yield f'<p class="lead" id="counts">{counts}</p>'
    span = words("range", first=day_of(study.first_us), last=day_of(study.last_us))
    rules = ", ".join(escape(f"{one.version} ({one.hash[:12]})") for one in study.rules)
    yield f'<p class="muted">{span} · {words("rules")} {rules} · {_mark(study, about, words)}</p>'
    main = study.cell("signed_abnormal", "all", "all", MAIN)
    if main is None or main.summary.mean is None:
        yield f'<p class="verdict" id="verdict">{words("nothing")}</p>'
    else:
        yield _cards(study, main, words)
        yield f'<p class="verdict" id="verdict">{_verdict(study, main, words)}</p>'
    yield f'<p class="note">{words("hypothesis")}</p>'


def _cards(study: Study, main: Cell, words: Words) -> str:
    one, placebo = main.summary, study.placebo[MAIN]
    cards = [
        (
            "main",
            f"{words('main', horizon=words(MAIN))} (n {one.n})",
            percent(one.mean),
            f"{words('band')} {band(one.low, one.high)}",
        )
    ]
    if placebo is not None:
        aside = f"{band(placebo.low, placebo.high)} · p {probability(placebo.p)}"
        cards.append(("placebo", words("placebo"), percent(placebo.mean), aside))
    hits = words("hits_of", hits=one.net_hits, n=one.n)
    cost = percent(study.cost, sign=False)
    cards.append(("net", words("net", cost=cost), percent(one.net), hits))
    rate = percent(one.hit_rate, sign=False)
    wilson = f"{band(one.hit_low, one.hit_high, sign=False)} · " + words(
        "hits_of", hits=one.hits, n=one.n
    )
    cards.append(("hits", words("hits"), rate, wilson))
    return (
        '<div class="cards">'
        + "".join(
            f'<div class="card {kind}" id="{kind}"><div class="label">{label}</div>'
            f'<div class="figure">{figure}</div><div class="aside">{aside}</div></div>'
            for kind, label, figure, aside in cards
        )
        + "</div>"
    )


def _verdict(study: Study, main: Cell, words: Words) -> str:
    one, placebo = main.summary, study.placebo[MAIN]
    why = []
    if one.low is None or one.high is None or one.low <= 0.0 <= one.high:
        why.append(words("why_band"))
    if placebo is not None and placebo.p >= 0.05:
        why.append(words("why_placebo", p=probability(placebo.p)))
    if why:
        return words("chance", why=", ".join(why))
    return words("not_chance", tests=study.tests)


def _plot(svg: str) -> str:
    """Return a plot that a narrow screen scrolls, rather than shrinks past reading."""
    return f'<div class="scroll">{svg}</div>'


def _horizons_table(study: Study, words: Words) -> str:
    heads = [
        words(key)
        for key in ("horizon", "n", "days", "mean", "median", "t", "t_days", "bmp", "p",
                    "p_adjusted", "hits", "net_short", "placebo_short", "placebo_p")
    ]  # fmt: skip
    rows = []
    for horizon in HORIZONS:
        found = study.cell("signed_abnormal", "all", "all", horizon)
        if found is None:
            continue
        one, placebo = found.summary, study.placebo[horizon]
        figures = [
            f"{one.n}", f"{one.days}", _with(one.mean, one.low, one.high), percent(one.median),
            number(one.t), number(one.t_clustered), number(one.t_standardised),
            probability(one.p), probability(found.p_adjusted),
            _with(one.hit_rate, one.hit_low, one.hit_high, sign=False), percent(one.net),
            "–" if placebo is None else _of_placebo(placebo),
            probability(None if placebo is None else placebo.p),
        ]  # fmt: skip
        rows.append(row([cell(words(horizon), "text"), *map(cell, figures)]))
    notes = [words("bands_note"), words("few", least=LEAST)]
    if study.without_placebo:
        notes.append(words("without_placebo", count=study.without_placebo))
    return table(heads, rows, name="horizons") + f'<p class="note">{" · ".join(notes)}</p>'


def _of_placebo(placebo: Placebo) -> str:
    """Return its figure and band, and how many observations a draw has on average."""
    shown = _with(placebo.mean, placebo.low, placebo.high)
    return shown.replace("</small>", f" n {placebo.n:.0f}</small>")


def _with(figure: float | None, low: float | None, high: float | None, *, sign: bool = True) -> str:
    """Return a figure with its band below it."""
    if figure is None:
        return "–"
    return f"{percent(figure, sign=sign)}<small>{band(low, high, sign=sign)}</small>"


def _cell_tables(study: Study, words: Words) -> Iterator[str]:
    for measure, title in (("signed_abnormal", "cells"), ("abnormal", "cells_plain")):
        yield f"<h2>{words(title)}</h2>"
        yield _heat_table(study, measure, words)
    yield f'<p class="note">{words("cells_note", tests=study.tests)}</p>'


def _heat_table(study: Study, measure: str, words: Words) -> str:
    """Return the cells by group; horizons and groups without a single figure are left out."""
    shown = [horizon for horizon in HORIZONS if horizon in study.measured]
    by_row: dict[tuple[str, str], list[Cell]] = {}
    for found in study.cells:
        if found.measure == measure and found.horizon in shown:
            by_row.setdefault((found.group, found.value), []).append(found)
    rows = []
    for group in GROUPS:
        values = [
            key for key in by_row if key[0] == group and any(one.summary.n for one in by_row[key])
        ]
        if values and group != "all":
            rows.append(
                f'<tr class="group"><th colspan="{len(shown) + 1}">{words(group)}</th></tr>'
            )
        for key in values:
            name = cell(escape(words.group_value(*key)), "text")
            rows.append(row([name, *(_heat_cell(found, words) for found in by_row[key])]))
    return table([words("group"), *map(words, shown)], rows, name="heat")


def _heat_cell(found: Cell, words: Words) -> str:
    one = found.summary
    if one.mean is None:
        return f'<td class="few">{f"n {one.n}" if one.n else "–"}</td>'
    mark = " ●" if found.p_adjusted is not None and found.p_adjusted < 0.05 else ""
    told = (
        f"{words('band')} {band(one.low, one.high)}, t {number(one.t_clustered)}, "
        f"p {probability(one.p)}, {words('p_adjusted')} {probability(found.p_adjusted)}"
    )
    return (
        f'<td class="cell" style="{heat(one)}" title="{told}">{percent(one.mean)}{mark}'
        f"<small>n {one.n}</small></td>"
    )


def _curve(study: Study, words: Words) -> Iterator[str]:
    yield f"<h2>{words('curve')}</h2>"
    if all(day.mean is None for day in study.curve):
        yield f'<p class="note">{words("few", least=LEAST)}</p>'
        return
    yield _plot(curve_plot(study, words))
    counts = [day.n for day in study.curve]
    shown = f"{min(counts)}" if min(counts) == max(counts) else f"{min(counts)}–{max(counts)}"
    yield f'<p class="note">{words("curve_note")} n {shown}.</p>'


def _missing(study: Study, words: Words) -> Iterator[str]:
    yield f"<h2>{words('missing')}</h2>"
    if not study.missing:
        yield f"<p>{words('missing_none')}</p>"
        return
    yield f'<p class="note">{words("missing_note")}</p>'
    heads = [words(key) for key in ("horizon", "reason", "count", "tickers")]
    rows = [
        row(
            (
                cell(words("at_entry" if one.horizon == "entry" else one.horizon), "text"),
                cell(words(one.reason), "text"),
                cell(f"{one.count:,}", "text"),
                cell(escape(", ".join(one.tickers)), "wrap"),
            )
        )
        for one in study.missing
    ]
    yield table(heads, rows, name="missing", left=len(heads))


# ---- where it comes from -------------------------------------------------------------------------


def _overlaps(training: Training, study: Study) -> bool:
    return any(_overlap(since, until, study) for since, until in training.sources.values())


def _overlap(since: str, until: str, study: Study) -> bool:
    """Return whether months and the time of the signals have one in common."""
    first, last = day_of(study.first_us)[:7], day_of(study.last_us)[:7]
    return since <= last and first <= until


def _mark(study: Study, about: About, words: Words) -> str:
    """Return in short whether the weights may have seen the headlines of the backtest."""
    found = [about.training.get(one.hash) for one in study.rules]
    if any(training is not None and _overlaps(training, study) for training in found):
        return f'<span class="mark">{words("training")}: {words("overlap")}</span>'
    if any(training is None for training in found) or not found:
        return f"<span>{words('training_unknown')}</span>"
    return f"<span>{words('training')}: {_window(found)}</span>"


def _window(found: list[Training | None]) -> str:
    spans = [span for training in found if training for span in training.sources.values()]
    if not spans:
        return "–"
    return f"{min(since for since, _ in spans)} – {max(until for _, until in spans)}"


def _origin(study: Study, about: About, words: Words) -> Iterator[str]:
    yield f"<h2>{words('method')}</h2>"
    yield f'<p class="note">{words("method_1")}</p><p class="note">{words("method_2")}</p>'
    kinds = ", ".join(words.name(kind) for kind in study.kinds)
    text = words("method_3", kinds=kinds, boot=BOOTSTRAPS, seed=study.seed, draws=DRAWS, near=NEAR)
    yield f'<p class="note">{text}</p>'
    for rules in study.rules:
        yield (f"<p>{words('rules')} <code>{escape(rules.version)} {escape(rules.hash)}</code></p>")
        yield from _training(about.training.get(rules.hash), study, words)
    yield f"<p>{words('command')}</p><pre><code>{escape(about.command)}</code></pre>"


def _training(training: Training | None, study: Study, words: Words) -> Iterator[str]:
    if training is None:
        yield f'<p class="note" id="training">{words("training_unknown")}</p>'
        return
    seen: list[str] = []
    apart: list[str] = []
    for source in sorted(training.sources):
        since, until = training.sources[source]
        text = escape(f"{source} {since} – {until}")
        (seen if _overlap(since, until, study) else apart).append(text)
    labels = words("labels", labels=f"{training.labels:,}", undated=f"{training.undated:,}")
    told = f"{words('training')}: {labels}"
    if seen:
        told += f'; <span class="mark">{words("overlap")}</span>: {", ".join(seen)}'
    if apart:
        told += f"; {words('no_overlap')}: {', '.join(apart)}"
    yield f'<p class="note" id="training">{told}</p>'
    if _overlaps(training, study):
        yield f'<p class="note">{words("overlap_note")}</p>'
