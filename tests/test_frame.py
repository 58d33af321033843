"""What holds the repository together: pins, versions, the Makefile and the CI script."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

import tapewire

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PINS = (ROOT / "constraints.txt").read_text(encoding="utf-8").split()


def test_the_three_patched_libraries_are_pinned_exactly() -> None:
    exact = [line for line in PROJECT["dependencies"] if "==" in line]

    assert [line.split("==")[0] for line in exact] == [
        "faust-streaming",
        "mode-streaming",
        "aiokafka",
    ]
    assert set(exact) <= set(PINS)


def test_constraints_hold_names_and_versions_only() -> None:
    assert [line for line in PINS if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][\w.]*", line)] == []


def test_every_dependency_has_its_constraint() -> None:
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in PINS}
    extras = PROJECT["optional-dependencies"]
    wanted = [*PROJECT["dependencies"], *(line for lines in extras.values() for line in lines)]

    names = {re.split(r"[<>=!~\[ ]", line)[0].lower() for line in wanted}

    assert names - pinned == set()


def test_the_changelog_knows_the_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    assert f"## [{PROJECT['version']}]" in changelog


def test_the_licence_is_the_one_that_the_package_names() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")

    assert PROJECT["license"] == "Apache-2.0"
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text


def test_names_that_a_user_imports_are_there() -> None:
    assert sorted(tapewire.__all__) == ["AlertReader", "classify", "replay"]
    assert all(hasattr(tapewire, name) for name in tapewire.__all__)


@pytest.mark.parametrize("target", ["setup", "demo", "test", "check", "fmt", "bench", "clean"])
def test_make_knows_its_targets(target: str) -> None:
    done = subprocess.run(
        ["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr


def test_make_says_in_one_sentence_that_python_is_missing(tmp_path: Path) -> None:
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)

    done = subprocess.run(
        ["make", "setup", "PYTHON="], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert "needs Python 3.11 or newer" in done.stdout


def test_the_ci_script_is_strict_and_parses() -> None:
    script = ROOT / ".ci" / "run"
    if not script.exists():
        pytest.skip("not a checkout: the source distribution leaves .ci out")

    assert os.access(script, os.X_OK)
    assert "set -euo pipefail" in script.read_text(encoding="utf-8")
    subprocess.run(["bash", "-n", script], check=True)
