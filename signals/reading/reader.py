"""A document to the events that it reports: pure, deterministic, the same on every machine."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from signals.messages import Headline
from signals.reading.candidates import (
    Candidate,
    Context,
    Sum,
    TextReading,
    read_text,
    weak_candidates,
)
from signals.reading.claims import find_claims
from signals.reading.documents import (
    LONGEST_BODY,
    LONGEST_TITLE,
    article_sentences,
    is_digest,
    page_title,
    split_document,
)
from signals.reading.keywords import Keywords, find_keywords
from signals.reading.match import find_hits
from signals.reading.merge import BACKGROUND, enrich, find_owner, join_candidates, to_reading
from signals.reading.model import Document, Reading
from signals.reading.normalise import Text, normalise_text
from signals.reading.ruleset import RuleSet

__all__ = ["company_ids", "read_document", "read_headline", "read_tellings"]

_SENTENCES = 40


def read_headline(headline: Headline, rules: RuleSet) -> tuple[Reading, ...]:
    """Return the events that a headline reports, in the order of its text.

    Never raises for any text; one revision and one rule set always give the same readings.
    """
    return read_document(_document(headline), rules)


def read_tellings(headline: Headline, rules: RuleSet) -> tuple[Reading, ...]:
    """Return the events that a headline reports, or what it may tell weakly where it reports none.

    Of a digest, section by section.
    """
    document = _document(headline)
    context = Context(rules, document.published_us)
    found: list[Reading] = []
    weak: list[Reading] = []
    for title, sentences in _items(document):
        told = read_text(title, context, strict=True)
        found += _read(title, told, sentences, context)
        if told.candidates:
            continue  # what it reports is not also something else that it hardly says
        said = _keywords(title, told, context)
        for one in weak_candidates(title, told, context):
            reading = to_reading(one, context, _amounts(one, [one], told, has_body=False))
            weak.append(replace(reading, weak=True, keywords=said.words, names=said.names))
    return (*found, *weak)


def _document(headline: Headline) -> Document:
    return Document(
        title=headline.title,
        body=headline.body,
        lang=headline.lang,
        source=headline.source,
        published_us=headline.published_us,
    )


def read_document(document: Document, rules: RuleSet) -> tuple[Reading, ...]:
    """Return the events of a headline, an article, an article page or a markdown digest.

    What a title reports is an event; the body only adds to it (parties, roles, amounts, terms), so
    that older deals told as background are none. A digest is read section by section. Of a field
    at most ``LONGEST_TITLE`` and ``LONGEST_BODY`` code points are read.
    """
    context = Context(rules, document.published_us)
    return tuple(
        reading
        for title, sentences in _items(document)
        for reading in _read(title, read_text(title, context, strict=True), sentences, context)
    )


def _items(document: Document) -> Iterator[tuple[Text, list[Text]]]:
    """Yield the title and the sentences of a document, or of each section of a digest."""
    if not is_digest(document):
        yield _title_and_sentences(document)
        return
    body = document.body or ""
    for section in split_document(document):
        title_end = section.title_start + min(len(section.title), LONGEST_TITLE)
        title = normalise_text("body", body, section.title_start, title_end)
        end = section.text_start + len(section.text)
        yield title, _sentences(body, section.text_start, end)


def _title_and_sentences(document: Document) -> tuple[Text, list[Text]]:
    if document.title.strip():
        title = normalise_text("title", document.title, 0, LONGEST_TITLE)
        if not document.body:
            return title, []
        start = _after_title(document.body, document.title.strip())
        return title, _sentences(document.body, start, None)
    body = document.body or ""
    found = page_title(body)
    if found is None:
        return normalise_text("title", ""), []
    title = normalise_text("body", body, found[0], min(found[1], found[0] + LONGEST_TITLE))
    return title, _sentences(body, found[1], None)


def _after_title(body: str, title: str) -> int:
    """Return where an article goes on behind its own title, when its page repeats it."""
    found = body.find(title, 0, LONGEST_BODY)
    return found + len(title) if 0 <= found < 2_000 else 0


def _sentences(body: str, start: int, end: int | None) -> list[Text]:
    spans = article_sentences(body, start, end)[:_SENTENCES]
    return [normalise_text("body", body, first, last) for first, last in spans]


def _read(
    title: Text, reported: TextReading, sentences: Sequence[Text], context: Context
) -> tuple[Reading, ...]:
    if not reported.candidates:
        return ()
    told = [read_text(sentence, context, strict=False) for sentence in sentences]
    joined = join_candidates(reported, told, context)
    full = [enrich(candidate, told, context) for candidate in joined]
    full = [find_owner(candidate, full, reported, told) for candidate in full]
    claims = find_claims(title, sentences, context.rules)
    said = _keywords(title, reported, context)
    return tuple(
        replace(
            to_reading(
                candidate,
                context,
                _amounts(candidate, joined, reported, has_body=bool(sentences)),
            ),
            claims=claims,
            keywords=said.words,
            names=said.names,
        )
        for candidate in full
    )


def _keywords(title: Text, told: TextReading, context: Context) -> Keywords:
    if told.parts is None:
        return Keywords()
    money = ((one.start, one.end) for one in told.parts.money)
    return find_keywords(title, told.parts.hits, money, context.rules)


def _amounts(
    candidate: Candidate, joined: Sequence[Candidate], title: TextReading, *, has_body: bool
) -> tuple[Sum, ...]:
    """Return a document's own amounts; of a headline alone, also those that no event claims."""
    if has_body:
        return tuple(one for one in candidate.sums if one.kind not in BACKGROUND)
    claimed = [one.money for other in joined for one in other.sums]
    return candidate.sums + tuple(one for one in title.sums if one.money not in claimed)


def company_ids(text: str, rules: RuleSet) -> tuple[str, ...]:
    """Return the ids of the companies that a text names, in order."""
    hits = find_hits(normalise_text("title", text, 0, LONGEST_TITLE), rules)
    found = dict.fromkeys(hit.ref for hit in hits if hit.kind == "company")
    return tuple(found)
