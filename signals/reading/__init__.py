"""Reading: a headline, an article or a digest to the events that it reports, with evidence."""

from signals.reading.documents import split_document
from signals.reading.model import Document, Reading, Section
from signals.reading.reader import read_document, read_headline, read_tellings
from signals.reading.ruleset import RuleSet

__all__ = [
    "Document",
    "Reading",
    "RuleSet",
    "Section",
    "read_document",
    "read_headline",
    "read_tellings",
    "split_document",
]
