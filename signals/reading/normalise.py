"""Text in the one form that rules are written for, with the way back to the source."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

__all__ = ["Text", "fold_case", "normalise_text"]

_SIGNS = str.maketrans(
    {
        "‘": "'", "’": "'", "‚": "'", "′": "'", "“": '"', "”": '"', "„": '"', "″": '"',
        "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "−": "-", "ㆍ": "·", "・": "·", "‧": "·",
        "\u00a0": " ", "\u200b": " ", "\u200c": " ", "\u200d": " ", "\ufeff": " ", "\u2060": " ",
        "\t": " ", "兆": "조", "億": "억", "萬": "만",
    }
)  # fmt: skip
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of a field, normalised.

    Attributes:
        field: the field of the document that it is cut from.
        source: the whole field, untouched.
        shown: the piece in NFKC with plain quotes; case kept.
        low: ``shown`` in lower case, of the same length.
        base: where the piece starts in the source.
        offsets: for each code point of ``shown`` (and its end) the offset in the piece of the
            source; None where they are the same.
    """

    field: Literal["title", "body"]
    source: str
    shown: str
    low: str
    base: int
    offsets: tuple[int, ...] | None

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """Return the span of the source that a span of ``shown`` was made from."""
        if self.offsets is None:
            return self.base + start, self.base + end
        # Signs that NFKC made of one ("…" gives three) go back together.
        while 0 < end < len(self.offsets) - 1 and self.offsets[end] == self.offsets[end - 1]:
            end += 1
        return self.base + self.offsets[start], self.base + self.offsets[end]


def normalise_text(
    field: Literal["title", "body"], source: str, start: int = 0, end: int | None = None
) -> Text:
    """Return ``source[start:end]`` normalised. Any string is taken, lone surrogates too."""
    piece = source[start:end]
    if not piece.isascii():
        piece = _SURROGATE.sub("\ufffd", piece)
    shown, offsets = _compose(piece)
    shown = shown.translate(_SIGNS)
    return Text(field, source, shown, fold_case(shown), start, offsets)


def fold_case(text: str) -> str:
    """Return the text in lower case and of the same length (``İ`` would become two)."""
    low = text.lower()
    if len(low) == len(text):
        return low
    return "".join(small if len(small := sign.lower()) == 1 else sign for sign in text)


def _compose(piece: str) -> tuple[str, tuple[int, ...] | None]:
    if piece.isascii() or unicodedata.is_normalized("NFKC", piece):
        return piece, None
    shown: list[str] = []
    offsets: list[int] = []
    start = 0
    length = len(piece)
    while start < length:
        end = start + 1
        # A base letter and what composes with it; bounded, so that a run of marks stays linear.
        while end < length and end - start < 16 and _joins(piece[end]):
            end += 1
        composed = unicodedata.normalize("NFKC", piece[start:end])
        shown.append(composed)
        offsets.extend([start] * len(composed))
        start = end
    offsets.append(length)
    return "".join(shown), tuple(offsets)


def _joins(sign: str) -> bool:
    return unicodedata.combining(sign) != 0 or "\u1160" <= sign <= "\u11ff"
