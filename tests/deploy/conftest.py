"""Programs from Debian that tests of deploy/ run; CI has them all."""

import os
import shutil
from collections.abc import Callable

import pytest


@pytest.fixture(scope="session")
def debian_tool() -> Callable[[str], str]:
    """Return a function from a program's name to its path; a program that is missing skips."""

    def find(name: str) -> str:
        if path := shutil.which(name):
            return path
        reason = (
            f"{name} is not installed; apt-get install {name.replace('promtool', 'prometheus')}"
        )
        if os.environ.get("TAPEWIRE_REQUIRE_KAFKA") == "1":
            pytest.fail(reason)
        pytest.skip(reason)

    return find
