"""Make ``companies_listed.json``: listed companies of public lists that no one curates by hand.

    python deploy/tools/make_gazetteer.py LISTS OUT --text HEADLINES.jsonl ...

LISTS is a folder with ``sec_company_tickers*.csv`` (SEC), ``krx_listing_ko*.csv`` (KRX) and
``listings_world.csv`` (FinanceDatabase, MIT). The texts (JSON lines with ``title`` or ``summary``)
say which names are ordinary words: one that stands in them in lower case, or mostly behind another
capitalised word (a surname), is no alias. What the curated files list already is left out.
"""

import argparse
import csv
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml

RULES = Path(__file__).resolve().parents[2] / "signals" / "reading" / "rules"
LARGEST_SEC = 4_000
SINGLE_WORD_SEC = 2_500
WORLD_SIZES = ("Mega Cap", "Large Cap", "Mid Cap")
SMALL_EXCHANGES = ("HEL",)
# Smaller companies of these count by names of two words and more.
CAUTIOUS = ("SHH", "SHZ", "SET", "KLS", "JKT", "NSE")
LEGAL = re.compile(
    r"(?:,?\s*(?:\(publ\)|/[A-Z]{2,3}/?|\\[A-Z]{2}\\?|&? ?\bco|inc(?:orporated)?|corp(?:oration)?"
    r"|company|ltd|limited|llc|l\.?p|plc|p\.l\.c|ag|se|s\.?e|n\.?v|s\.?a\.?(?:b\.? de c\.?v)?|ab"
    r"|asa|s\.?p\.?a|a/s|oyj|abp|kgaa|gmbh|bhd|berhad|tbk|pjsc|jsc|s\.a\.u|sgps|nv|kk|k\.k|trust|the|new"
    r"|aktiengesellschaft|soci[eé]t[eé] anonyme|public company|class [abc]|adr|de|common stock"
    r"))\.?$",
    re.IGNORECASE,
)
LOOSE = re.compile(
    r"\s(?:group|holdings?|technologies|international|industries|platforms|systems|motor|financial"
    r"|therapeutics|pharmaceuticals?|resources|partners|enterprises?|brands|global)$",
    re.IGNORECASE,
)  # fmt: skip
FUND = re.compile(
    r"\b(?:acquisition|etf|fund|index|warrants?|spac|bond|notes?|% )\b|%", re.IGNORECASE
)
# People, places and an exchange that share a company's name.
NAMESAKES = frozenset(
    {
        "nasdaq", "cincinnati", "inter", "jackson", "patrick", "columbia", "graham", "rupert",
        "everest", "greenland", "tyler", "icahn", "elisa", "atria", "noble", "capri", "jordan",
        "lincoln", "carter", "webster", "morgan", "houston", "phoenix", "victoria", "marina",
    }
)  # fmt: skip
GENERIC = frozenset(
    {
        "american", "national", "first", "general", "united", "pacific", "atlantic", "global",
        "international", "china", "japan", "bank", "india", "asia", "central", "northern",
        "southern", "western", "eastern", "royal", "standard", "new", "north", "south", "west",
        "east",
    }
)  # fmt: skip


class Words:
    """What the texts say about a word: lower case, capitalised, and behind another capital."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.low, self.high, self.behind = Counter[str](), Counter[str](), Counter[str]()
        self.korean = Counter[str]()
        for text in texts:
            words = re.findall(r"[A-Za-z][A-Za-z'&.-]*[A-Za-z]", text)
            for place, word in enumerate(words):
                if word.islower():
                    self.low[word] += 1
                elif word[0].isupper():
                    self.high[word.lower()] += 1
                    self.behind[word.lower()] += place > 0 and words[place - 1][0].isupper()
            self.korean.update(re.findall(r"[가-힣A-Za-z0-9]{2,}", text))

    def is_ordinary(self, word: str) -> bool:
        """Tell whether a word is one of the language, by the texts or by the list."""
        word = word.lower()
        return word in GENERIC or self.low[word] > 0

    def is_surname(self, word: str) -> bool:
        """Tell whether a word mostly stands behind another capitalised one."""
        word = word.lower()
        return self.high[word] > 0 and self.behind[word] * 2 > self.high[word]


def main() -> None:
    """Write the companies, one a line, sorted by id."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lists", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--text", type=Path, nargs="+", required=True)
    arguments = parser.parse_args()
    words = Words(_texts(arguments.text))
    taken, aliases, places = _curated()
    companies: dict[str, dict[str, object]] = {}
    for ticker, name, single in _listings(arguments.lists):
        key = _legal_name(name).lower()
        if key in companies:
            listed = companies[key]["tickers"]
            if isinstance(listed, list) and ticker not in taken and ticker not in listed:
                listed.append(ticker)
            continue
        forms = [
            form
            for form in _forms(name, words, single=single)
            if form.removeprefix("C:").lower() not in aliases | places
        ]
        if ticker in taken or not forms or _legal_name(name).lower() in aliases:
            continue
        companies[key] = {"name": _legal_name(name), "tickers": [ticker], "ko": [], "en": forms}
    for ticker, name in _korean(arguments.lists):
        occurs = words.korean[name]
        is_short = len(name) < 3 or (len(name) == 3 and occurs > 3)
        if ticker not in taken and name.lower() not in aliases and not is_short:
            companies[ticker] = {"name": name, "tickers": [ticker], "ko": [name], "en": []}
    _write(companies, arguments.out)


def _write(companies: dict[str, dict[str, object]], out: Path) -> None:
    rows, seen, forms = [], set[str](), set[str]()
    for company in companies.values():
        tickers = [one for one in _strings(company["tickers"]) if one not in seen]
        named = [form for form in _strings(company["en"]) if form.lower() not in forms]
        if not tickers or not (named or company["ko"]):
            continue
        seen.update(tickers)
        forms.update(form.lower() for form in named)
        home = sorted(tickers, key=lambda ticker: "." not in ticker)
        rows.append([f"org:listed-{home[0].lower()}", company["name"], home, company["ko"], named])
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in sorted(rows))
    out.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    sys.stdout.write(f"{len(rows)} companies\n")


def _strings(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


def _texts(paths: Iterable[Path]) -> Iterator[str]:
    for path in paths:
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                plain = json.loads(line)
                yield from (str(plain[key]) for key in ("title", "summary") if plain.get(key))


def _curated() -> tuple[set[str], set[str], set[str]]:
    tickers: set[str] = set()
    aliases: set[str] = set()
    for path in RULES.glob("companies*.yaml"):
        for entry in yaml.safe_load(path.read_text(encoding="utf-8"))["companies"]:
            tickers.update(str(ticker) for ticker in entry.get("tickers", ()))
            aliases.update(
                str(alias).removeprefix("C:").lower()
                for alias in (entry.get("name", ""), *entry.get("ko", ()), *entry.get("en", ()))
            )
    places: set[str] = set()
    for place in yaml.safe_load((RULES / "places.yaml").read_text(encoding="utf-8")).values():
        for key in ("ko", "en", "government"):
            places.update(str(one).removeprefix("C:").lower() for one in place.get(key, ()))
    return tickers, aliases, places


def _listings(folder: Path) -> Iterator[tuple[str, str, bool]]:
    """Yield ticker, name, and whether one word may be enough, the largest first."""
    for row in _rows(folder, "listings_world.csv"):
        is_large = row["market_cap"] in WORLD_SIZES[:2]
        sizes = WORLD_SIZES[:2] if row["exchange"] in ("SHH", "SHZ") else WORLD_SIZES
        is_wanted = row["market_cap"] in sizes or row["exchange"] in SMALL_EXCHANGES
        if is_wanted and not FUND.search(row["name"]):
            yield row["symbol"], row["name"], is_large or row["exchange"] not in CAUTIOUS
    seen: set[str] = set()
    for row in _rows(folder, "sec_company_tickers*.csv"):
        if row["cik"] in seen or FUND.search(row["name"]) or len(seen) >= LARGEST_SEC:
            continue
        seen.add(row["cik"])
        yield row["ticker"], row["name"], len(seen) <= SINGLE_WORD_SEC


def _korean(folder: Path) -> Iterator[tuple[str, str]]:
    for row in _rows(folder, "krx_listing_ko*.csv"):
        name = row["Name"]
        is_share = row["Code"].isdigit() and row["Market"] in ("KOSPI", "KOSDAQ", "KOSDAQ GLOBAL")
        is_preferred = re.search(r"우[BC]?(?:\(전환\))?$", name) and not row["Code"].endswith("0")
        if is_share and not is_preferred and "스팩" not in name:
            yield row["Code"] + (".KS" if row["Market"] == "KOSPI" else ".KQ"), name


def _rows(folder: Path, pattern: str) -> Iterator[dict[str, str]]:
    for path in sorted(folder.glob(pattern)):
        with path.open(encoding="utf-8-sig", newline="") as lines:
            yield from csv.DictReader(lines)


def _legal_name(name: str) -> str:
    """Return a name without its legal form: "BIOGEN INC." is Biogen."""
    name = re.sub(r"\s*\([^)]*\)", "", name.strip()).removeprefix("The ").removeprefix("PT ")
    while (shorter := LEGAL.sub("", name).rstrip(" ,.&-")) != name and " " in name:
        name = shorter
    if name.isupper() and len(name) > 5:
        name = " ".join(word.capitalize() if len(word) > 3 else word for word in name.split())
    return name


def _forms(name: str, words: Words, *, single: bool) -> list[str]:
    """Return the aliases of a company that no text takes for something else."""
    full = _legal_name(name)
    forms = [full]
    if LOOSE.search(full):
        forms.append(LOOSE.sub("", full))
    kept = []
    for form in forms:
        parts = form.split()
        ordinary = [words.is_ordinary(part) for part in parts]
        if not form or not form[0].isupper() or not form[0].isascii():
            continue
        if len(parts) == 1:
            if (
                not single
                or len(form) < 4
                or ordinary[0]
                or words.is_surname(form)
                or form.lower() in NAMESAKES | GENERIC
            ):
                continue
            kept.append(f"C:{form}" if form.isupper() else form)
        elif all(ordinary):
            if form == full and len(parts) > 1 and not all(one.lower() in GENERIC for one in parts):
                kept.append(f"C:{form}")
        else:
            kept.append(form)
    return kept


if __name__ == "__main__":
    main()
