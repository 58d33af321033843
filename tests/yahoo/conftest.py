"""A Yahoo of the test's own, and yfinance's cache in the test's folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.yahoo.server import Yahoo, yahoo_server


@pytest.fixture(autouse=True)
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """yfinance keeps time zones and cookies in the user's folder; here in the test's."""
    yfinance = pytest.importorskip("yfinance", reason="yfinance is not installed")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yfinance.set_tz_cache_location(str(tmp_path))
    return tmp_path


@pytest.fixture
def yahoo(cache_folder: Path) -> Iterator[Yahoo]:
    with yahoo_server() as server:
        yield server
