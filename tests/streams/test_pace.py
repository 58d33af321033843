import pytest

from signals.errors import ConfigError
from signals.messages import Micros
from streams.pace import Pace


class Hand:
    """A clock that is moved by sleeping, and by nothing else."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_s += seconds


@pytest.mark.parametrize(("speed", "waits"), [(1, [30.0, 60.0]), (60, [0.5, 1.0]), (0, [])])
def test_records_go_by_as_they_were_received(speed: float, waits: list[float]) -> None:
    hand = Hand()
    pace = Pace(speed, clock=lambda: hand.now_s, sleep=hand.sleep)

    for second in (1000, 1000, 1030, 1090):
        pace.wait(Micros(second * 1_000_000))

    assert hand.slept == pytest.approx(waits)


def test_what_was_late_catches_up() -> None:
    hand = Hand()
    pace = Pace(1, clock=lambda: hand.now_s, sleep=hand.sleep)
    pace.wait(Micros(0))
    hand.now_s += 25

    assert pace.wait_s(Micros(10_000_000)) == -15
    assert pace.wait_s(Micros(30_000_000)) == 5


@pytest.mark.parametrize("speed", [-1.0, float("nan"), float("inf")])
def test_a_speed_that_is_none_is_refused(speed: float) -> None:
    with pytest.raises(ConfigError, match="--speed must be 0 or more"):
        Pace(speed)
