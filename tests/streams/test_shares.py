"""What one process has for another: whole before its end is told, and never torn in silence."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from signals.errors import TapewireError
from signals.messages import Micros
from streams.shares import Inputs, Placed, Share, Told, _inbox, _Outbox, _Teller
from tests.builders import second


def _share(folder: Path, number: int = 0) -> Share:
    inputs = Inputs(headlines=(), prices=())
    return Share(number=number, jobs=2, inputs=inputs, unsorted=frozenset(), folder=folder)


def _messages(count: int) -> list[Placed]:
    return [Placed((n,), f"K{n}", second(Micros(n * 1_000_000), "1")) for n in range(count)]


class _Pipe:
    """Reads every file when the end is told, as another process may."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.read: list[Placed] = []

    def send(self, told: Told) -> None:
        if told.until is None:
            for number in range(2):
                path = _share(self._folder).path(1, number)
                path.write_bytes(_share(self._folder).path(0, number).read_bytes())
                self.read += list(_inbox(_share(self._folder, number)))


def test_files_are_whole_when_their_end_is_told(tmp_path: Path) -> None:
    pipe: Any = _Pipe(tmp_path)
    teller = _Teller(pipe, _Outbox(_share(tmp_path)))
    for placed in _messages(7):
        teller.add(placed)

    teller.tell((7,), Counter())
    teller.add(Placed((8,), "K8", second(Micros(8), "1")))
    teller.tell(None, Counter())

    assert Counter(placed.key for placed in pipe.read) == dict.fromkeys(
        [*(f"K{n}" for n in range(7)), "K8"], 2
    )


@pytest.mark.parametrize("lost", [1, 10, 100])
def test_a_torn_file_is_no_end(tmp_path: Path, lost: int) -> None:
    for number in range(2):
        outbox = _Outbox(_share(tmp_path, number))
        outbox.put(_messages(9))
        outbox.close()
    path = _share(tmp_path).path(1, 0)
    path.write_bytes(path.read_bytes()[:-lost])

    with pytest.raises(TapewireError, match="1-0 ends too soon"):
        list(_inbox(_share(tmp_path)))
