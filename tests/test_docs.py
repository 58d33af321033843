"""What the documents say is so: links, code, tables; and both READMEs say the same."""

import ast
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from prometheus_client import CollectorRegistry

from signals.alerts.notices import HELD_FOR, PASSED_FOR
from signals.errors import BadReason
from signals.messages import AlertKind, MoveFlag, PriceSample
from signals.policy import Policy
from streams.metrics import Metrics, show_build
from streams.settings import PREFIX, Settings
from streams.topics import TOPICS
from tapewire.verbs import VERBS

ROOT = Path(__file__).resolve().parent.parent
READMES = ("README.md", "README.ko.md")
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").rglob("*.md")]
)


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def _blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", _text(page), re.MULTILINE | re.DOTALL)


def _first_cells(page: str, pattern: str) -> list[str]:
    return re.findall(rf"^\| `({pattern})` \|", _text(page), re.MULTILINE)


def _anchors(path: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\s-]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in _anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_python_in_the_documents_parses_and_shell_too(page: Path) -> None:
    for block in _blocks(_name(page), "python"):
        ast.parse(block)
    for block in _blocks(_name(page), "sh"):
        subprocess.run(["bash", "-n"], input=block, text=True, check=True)


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_commands_in_the_documents_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    used = re.findall(r"^(?:.*\| )?tapewire ([a-z]+)\b", "".join(_blocks(_name(page), "sh")), re.M)
    used += re.findall(r"`tapewire ([a-z]+)", text)

    assert set(used) - set(VERBS) == set()


@pytest.mark.parametrize("page", READMES)
def test_python_of_the_readmes_runs(page: str, tmp_path: Path) -> None:
    blocks = _blocks(page, "python")

    for block in blocks:
        subprocess.run([sys.executable, "-c", block], check=True, cwd=tmp_path, timeout=60)
    assert len(blocks) == 2


@pytest.mark.parametrize("page", READMES)
def test_the_two_commands_stand_at_the_top(page: str) -> None:
    top = _text(page).splitlines()[:8]

    assert [line.split("#")[0].strip() for line in top if line.startswith("    ")] == [
        "make demo",
        "make test",
    ]


@pytest.mark.parametrize("page", READMES)
def test_every_verb_has_its_line(page: str) -> None:
    assert _first_cells(page, "tapewire [a-z]+") == [f"tapewire {name}" for name in VERBS]


def test_verbs_are_described_as_their_help_does() -> None:
    for name, verb in VERBS.items():
        assert f"| `tapewire {name}` | {verb.summary} |" in _text("README.md")


@pytest.mark.parametrize("page", READMES)
def test_every_setting_has_its_line_with_its_default(page: str) -> None:
    rows = dict(re.findall(r"^\| `(TAPEWIRE_\w+)` \| (.+?) \|", _text(page), re.MULTILINE))

    expected = {f"{PREFIX}{field.name.upper()}": field.default for field in fields(Settings)}
    assert list(rows) == list(expected)
    for name, default in expected.items():
        assert default is None or rows[name] == f"`{default}`"


@pytest.mark.parametrize("page", [*READMES, "docs/architecture.md"])
def test_every_topic_has_its_line(page: str) -> None:
    assert _first_cells(page, r"[a-z.-]+\.v\d+") == [topic.name for topic in TOPICS]


def test_both_readmes_have_the_same_parts() -> None:
    english, korean = (_text(page) for page in READMES)

    for part in (r"^#+ ", r"^\|", r"^- ", r"^\d+\. ", r"^```"):
        counts = [len(re.findall(part, text, re.MULTILINE)) for text in (english, korean)]
        assert counts[0] == counts[1], part


def test_both_readmes_have_the_same_code_and_the_same_links() -> None:
    for language in ("sh", "python", "text"):
        assert _blocks(READMES[0], language) == _blocks(READMES[1], language)
    links = [set(re.findall(r"\]\(([^)]+)\)", _text(page))) - set(READMES) for page in READMES]
    assert links[0] == links[1]


def test_the_table_of_metrics_is_that_of_the_program() -> None:
    registry = CollectorRegistry()
    Metrics(registry)
    show_build(registry, version="0", rules="0")
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.*?) ?\| (.+) \|$", _text("docs/metrics.md"), re.M)

    told = [(name, kind, text) for name, kind, _, text in rows]
    labels = {name: set(re.findall(r"`(\w+)`", cell)) for name, _, cell, _ in rows}
    found = []
    for family in registry.collect():
        name = family.name + ("_total" if family.type == "counter" else "")
        found.append((name, family.type, family.documentation))
        # A metric whose labels are known only at work has no series yet.
        for sample in family.samples:
            assert set(sample.labels) == labels[name]
    assert told == found


def test_the_runbook_tells_every_reason_of_a_dead_letter() -> None:
    text = _text("docs/running.md")

    assert [reason for reason in get_args(BadReason) if f"`{reason}`" not in text] == []


# Written in two halves, so that this file does not hold them itself.
_REGISTRIES = (
    "pypi" + ".org",
    "pythonhosted" + ".org",
    "npmjs" + ".org",
    "crates" + ".io",
    "repo.maven" + ".apache",
    "deb.debian" + ".org",
    "proxy.golang" + ".org",
)
_FOREIGN = {
    "a folder beside the checkout": r"\.\./shared",
    "a path of one machine": r"/(?:root|home|work)/\w",
    "a package registry": "|".join(re.escape(host) for host in _REGISTRIES),
}


@pytest.mark.parametrize("what", _FOREIGN)
def test_tracked_files_name_nothing_of_one_workplace(what: str) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    here = {".ci/run", _name(Path(__file__).resolve())}  # they must name them
    found = []
    for name in set(listed.stdout.split("\0")) - {""} - here:
        path = ROOT / name
        text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
        if match := re.search(_FOREIGN[what], text):
            found.append(f"{name}: {match.group()}")

    assert found == []


def test_the_page_on_prices_has_the_policys_defaults() -> None:
    rows = dict(
        re.findall(r"^\| `(\w+_(?:days|least))` \| (\d+) \|$", _text("docs/prices.md"), re.M)
    )

    assert rows == {name: str(getattr(Policy(), name)) for name in rows}
    assert len(rows) == 4


def test_the_page_on_prices_has_every_flag_and_kind() -> None:
    page = _text("docs/prices.md")

    for name in (*get_args(MoveFlag), *get_args(get_type_hints(PriceSample)["kind"])):
        assert f"| `{name}` |" in page


def test_the_page_on_alerts_has_every_kind_and_every_choice_of_the_delivery() -> None:
    page = _text("docs/alerts.md")

    assert set(re.findall(r"^\| `(\w+)` \|", page, re.M)) == set(get_args(AlertKind))
    chosen = {*HELD_FOR, *PASSED_FOR}
    assert set(re.findall(r"`(\w+)`", page.partition("## Delivery")[2])) >= chosen
