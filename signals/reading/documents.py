"""Documents to text: digest sections, article pages without their chrome, sentences."""

import re

from signals.reading.model import Document, Section

__all__ = [
    "LONGEST_BODY",
    "LONGEST_TITLE",
    "article_sentences",
    "is_digest",
    "page_title",
    "split_document",
]

# What is read of a document, in code points. A page has its news in its first lines; a field of
# ten megabytes is read to here and no further, so that every document takes bounded time.
LONGEST_TITLE = 2_000
LONGEST_BODY = 30_000

_HEADING = re.compile(r"^##(?!#)[ \t]+(\S[^\n]*)$", re.MULTILINE)
_FRONT_MATTER = re.compile(r"\A---\n.{0,4000}?\n---\n", re.DOTALL)
_LINK_LINE = re.compile(r"(?:\W*\[[^\]\n]{0,200}\]\([^)\n]{0,600}\)\W*)+")
_STAMP = re.compile(r"(?:등록|입력|수정|송고|게시|발행|Published|Updated)\s?:?\s?\d{4}[.\-/년]")
_CHROME = re.compile(
    r"[•*·\-]\s.{0,40}|.{0,3}(?:페이스북|트위터|유튜브|카카오톡|네이버 ?블로그|이메일|이메일 보내기"
    r"|프린터|인쇄|PDF|공유(?:하기)?|글자 ?크기|기사 ?원문|구독|Share|Print|Email|Facebook|Twitter"
    r"|Subscribe|Advertisement)"
)
_END_OF_PAGE = re.compile(
    r"많이 본 (?:기사|뉴스)|인기 ?기사|관련 ?기사|추천 ?기사|실시간 ?랭킹|ⓒ.{0,60}|◎.{0,80}|"
    r"저작권자.{0,80}|무단 ?전재.{0,60}|Most [Rr]ead|Read [Mm]ore|Related [Ss]tories|"
    r"Copyright.{0,80}|©.{0,80}"
)
_DATELINE = re.compile(
    r"\s*(?:\[[^\]\n]{1,40}=[^\]\n]{1,30}\]|\([^)\n]{1,20}=[^)\n]{1,20}\)|"
    r"[A-Z][A-Z .,]{2,40}(?:, [A-Z][a-z]{2,8}\.? \d{1,2})? ?"
    r"(?:\((?:Reuters|AP|Bloomberg)\))? ?[-–—] )"
    r"(?:[가-힣 ,·]{2,24}(?:기자|특파원|인턴기자|통신원)\s?=\s?)?"
)
_CAPTION = re.compile(r"사진은\s|\(사진=|사진 ?제공|/사진|\[사진|Photo(?:graph)?:|자료 ?사진")
_SENTENCE_END = re.compile(
    r"(?<=[.!?다])['\")\]]*[.!?]['\")\]]*\s+(?=\S)"
    r"|(?<=[a-z가-힣)\"'])[.!?]['\")]*\s+(?=\S)|\n+"
)


def is_digest(document: Document) -> bool:
    """Tell whether the body is a markdown digest: sections with ``##`` headings."""
    return document.body is not None and _HEADING.search(document.body[:LONGEST_BODY]) is not None


def split_document(document: Document) -> tuple[Section, ...]:
    """Return the sections of a digest in their order; none for any other document."""
    if document.body is None:
        return ()
    body = document.body
    matter = _FRONT_MATTER.match(body)
    begin = 0 if matter is None else matter.end()
    headings = list(_HEADING.finditer(body, begin))
    ends = [heading.start() for heading in headings[1:]] + [len(body)]
    sections = []
    for heading, end in zip(headings, ends, strict=False):
        start, stop = _section_text(body, heading.end(), end)
        title = heading[1].rstrip()
        sections.append(
            Section(
                title=title,
                title_start=heading.start(1),
                text=body[start:stop],
                text_start=start,
            )
        )
    return tuple(sections)


def _section_text(body: str, start: int, end: int) -> tuple[int, int]:
    """Return the span without link lines at its head, and without rules and space at its end."""
    while start < end:
        line_end = body.find("\n", start, end)
        line_end = end if line_end < 0 else line_end
        line = body[start:line_end].strip()
        if line and (len(line) > 2_000 or _LINK_LINE.fullmatch(line) is None):
            break
        start = min(end, line_end + 1)
    while end > start and body[end - 1] in " \t\r\n-*":
        end -= 1
    return start, end


def page_title(body: str) -> tuple[int, int] | None:
    """Return the span of an article page's own title: its first line that is no chrome."""
    for start, end in _lines(body[:LONGEST_BODY]):
        line = body[start:end].strip()
        if len(line) < 8 or _CHROME.fullmatch(line) or _STAMP.match(line):
            continue
        lead = len(body[start:end]) - len(body[start:end].lstrip())
        return start + lead, start + lead + len(line)
    return None


def _lines(body: str) -> list[tuple[int, int]]:
    spans = []
    start = 0
    while start < len(body):
        end = body.find("\n", start)
        end = len(body) if end < 0 else end
        if end > start:
            spans.append((start, end))
        start = end + 1
    return spans


def article_sentences(body: str, start: int = 0, end: int | None = None) -> list[tuple[int, int]]:
    """Return the sentences of an article as spans, without chrome, datelines and captions.

    Lines told twice, and what follows "most read", are gone.
    """
    stop = min(len(body) if end is None else end, start + LONGEST_BODY)
    seen: set[str] = set()
    sentences: list[tuple[int, int]] = []
    for line_start, line_end in _lines(body[start:stop]):
        first, last = start + line_start, start + line_end
        line = body[first:last].strip()
        if len(line) < 120 and _END_OF_PAGE.match(line):
            break
        if not line or line in seen or _is_chrome(line):
            continue
        seen.add(line)
        sentences += _sentences(body, first, last)
    return sentences


def _is_chrome(line: str) -> bool:
    if len(line) < 60 and (_CHROME.fullmatch(line) or _STAMP.match(line)):
        return True
    return _CAPTION.search(line) is not None or (
        len(line) <= 2_000 and _LINK_LINE.fullmatch(line) is not None
    )


def _sentences(body: str, start: int, end: int) -> list[tuple[int, int]]:
    dateline = _DATELINE.match(body, start, end)
    if dateline is not None:
        start = dateline.end()
    spans = []
    for cut in _SENTENCE_END.finditer(body, start, end):
        if cut.start() > start:
            spans.append((start, cut.end()))
        start = cut.end()
    if start < end:
        spans.append((start, end))
    return [span for span in spans if len(body[span[0] : span[1]].strip()) > 3]
