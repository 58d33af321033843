"""What is published is what was tested: built, installed elsewhere, run from another folder."""

import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = Path(sys.executable).parent


def _run(*command: str | Path, cwd: Path, given: str | None = None) -> str:
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        input=given,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a source distribution and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("dist")
    # hatchling is installed already: without isolation, nothing is fetched.
    _run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    return folder


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the programs' folder of a new environment that holds the wheel.

    Dependencies come from the environment of the tests, by a path file, so that no test reaches a
    registry; the checkout is hidden from it, since path files of an added folder are not read.
    """
    home = tmp_path_factory.mktemp("home") / "environment"
    venv.create(home, with_pip=False, symlinks=True)
    where = {"base": str(home), "platbase": str(home)}
    packages = Path(sysconfig.get_path("purelib", "venv", vars=where))
    (wheel,) = built.glob("*.whl")
    _run(
        sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index",
        "--disable-pip-version-check", "--prefix", home, "--ignore-installed", wheel,
        cwd=home,
    )  # fmt: skip
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    programs = Path(sysconfig.get_path("scripts", "venv", vars=where))
    command = programs / "tapewire"
    # pip wrote its own interpreter on the first line.
    lines = command.read_text(encoding="utf-8").splitlines(keepends=True)
    command.write_text("".join([f"#!{programs / 'python'}\n", *lines[1:]]), encoding="utf-8")
    return programs


def test_the_wheel_holds_the_packages_and_nothing_else(built: Path) -> None:
    (wheel,) = built.glob("*.whl")

    _run(PROGRAMS / "check-wheel-contents", wheel, "--config", ROOT / "pyproject.toml", cwd=built)

    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "tapewire", "agents", "streams", "signals",
    }  # fmt: skip


def test_the_wheel_holds_its_data(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    data = {
        path.relative_to(ROOT).as_posix()
        for package in ("tapewire", "agents", "streams", "signals")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }

    assert data - names == set()
    assert "streams/brokers/pom.xml" in names
    assert any(name.endswith("rules.json") for name in names)
    assert any(name.startswith("tapewire/recorded/") and "headlines" in name for name in names)


def test_the_source_distribution_holds_what_tests_need(built: Path) -> None:
    (source,) = built.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}

    assert {"Makefile", "constraints.txt", "README.md", "LICENSE", "tests/test_wheel.py"} <= names
    assert [name for name in names if name.startswith((".ci", ".venv", ".cache", "run/"))] == []


def test_the_installed_package_is_the_wheel_and_not_the_checkout(
    installed: Path, tmp_path: Path
) -> None:
    code = "import signals, streams, agents, tapewire; print(tapewire.__file__)"

    where = Path(_run(installed / "python", "-c", code, cwd=tmp_path).strip())

    assert where.is_relative_to(installed.parent)


def test_the_command_tells_its_version_and_its_verbs(installed: Path, tmp_path: Path) -> None:
    assert _run(installed / "tapewire", "--version", cwd=tmp_path) == (
        f"tapewire {version('tapewire')}\n"
    )
    assert "classify" in _run(installed / "tapewire", "--help", cwd=tmp_path)


def test_the_command_reads_a_headline(installed: Path, tmp_path: Path) -> None:
    line = json.dumps({"id": "1", "title": "IREN signs $9.7bn AI cloud contract with Microsoft"})

    said = _run(installed / "tapewire", "classify", cwd=tmp_path, given=line + "\n")

    (event,) = json.loads(said)["events"]
    assert event["type"] == "deal"
    assert sorted(event["tickers"]) == ["IREN", "MSFT"]
    assert event["amounts"][0]["usd"] == "9700000000"
