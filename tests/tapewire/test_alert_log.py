import hashlib
from collections.abc import Callable
from random import Random

from signals.messages import Alert, Micros
from streams.replay import alert_lines, order_alerts
from tapewire.alert_log import AlertLog


def test_the_log_is_the_canonical_one_whatever_came_first(alert: Callable[..., Alert]) -> None:
    draw = Random(2)
    alerts = [
        alert(
            alert_id=f"al_{draw.randrange(300):04d}",
            revision=draw.randrange(1, 4),
            known_us=Micros(10**15 + draw.randrange(50)),
        )
        for _ in range(4000)
    ]
    log = AlertLog()
    for item in [alert(revision=9)]:
        log.add(item)
    log.clear()

    for item in alerts:
        log.add(item)

    expected = list(alert_lines(order_alerts(alerts)))
    assert sum(map(len, expected)) > 1_000_000
    assert list(log.lines()) == list(log.lines()) == expected
    assert len(log) == len(expected)
    assert log.sha256() == hashlib.sha256(b"".join(expected)).hexdigest()


def test_it_may_be_read_while_it_grows(alert: Callable[..., Alert]) -> None:
    log = AlertLog()
    log.add(alert(revision=1))
    assert len(list(log.lines())) == 1

    log.add(alert(revision=2))

    assert [b'"revision":2' in line for line in log.lines()] == [False, True]
