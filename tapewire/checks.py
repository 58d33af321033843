"""What ``tapewire doctor`` looks at: each check says what it saw, and how to mend it."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from typing import Literal

from signals.errors import TapewireError, Unavailable
from signals.messages import Micros
from signals.policy import DAY_US
from streams.assemble import rule_set_id
from streams.brokers import kafka_available
from streams.clients import describe_partitions
from streams.clock import now_us
from streams.policy_file import load_policy
from streams.settings import Settings
from streams.sources.times import to_iso
from streams.tables import load_sessions
from streams.topics import TOPICS
from tapewire.running import run_quietly

__all__ = ["Check", "run_checks", "sessions_check"]

State = Literal["ok", "warn", "fail"]
_SESSIONS_LEFT_US = 60 * DAY_US  # a decision may look at the next close but one, and people plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What was looked at; ``warn`` is no hindrance to a worker, ``fail`` is."""

    name: str
    state: State
    detail: str
    mend: str = ""


def run_checks(settings: Settings, *, is_broker_named: bool) -> Iterator[Check]:
    """Yield the checks as they are done.

    Args:
        settings: of the environment and the arguments.
        is_broker_named: whether somebody said which broker; one that was only assumed may be away.
    """
    yield _check_python()
    yield from _check_pins()
    yield _check_embedded()
    yield _check_kafka()
    yield _check(
        "policy",
        lambda: f"{settings.policy or 'defaults'}: {_policy_line(settings)}",
        "mend the file that TAPEWIRE_POLICY names",
    )
    yield _check("rules", _rules_line, "install tapewire again")
    yield sessions_check(now_us())
    yield from _check_sources()
    yield from _check_broker(settings, is_broker_named=is_broker_named)


def _check_python() -> Check:
    seen = ".".join(map(str, sys.version_info[:3]))
    return Check(name="python", state="ok", detail=f"{seen} at {sys.executable}")


def _check_pins() -> Iterator[Check]:
    """Compare what is installed with the exact pins, which the Faust repairs rest on."""
    for requirement in requires("tapewire") or ():
        name, pinned, wanted = requirement.partition("==")
        if not pinned or ";" in requirement:  # a range, or of an extra
            continue
        try:
            seen = version(name)
        except PackageNotFoundError:
            seen = "missing"
        mend = f'pip install "{name}=={wanted}"'
        if seen == wanted:
            yield Check(name=name, state="ok", detail=seen)
        else:
            detail = f"is {seen}, must be {wanted}"
            yield Check(name=name, state="fail", detail=detail, mend=mend)


def _check_embedded() -> Check:
    name = "embedded broker"
    if find_spec("noida_db") is None:
        mend = 'for the demo: pip install "tapewire[demo]"'
        return Check(name=name, state="warn", detail="not installed", mend=mend)
    return Check(name=name, state="ok", detail=f"noida-db {version('noida-db')}")


def _check_kafka() -> Check:
    reason = kafka_available()
    if reason is None:
        return Check(name="local Kafka", state="ok", detail="Java and Maven are there")
    mend = "only for a broker on this machine without Docker: install Java 17+ and Maven"
    return Check(name="local Kafka", state="warn", detail=reason, mend=mend)


def _check(name: str, look: Callable[[], str], mend: str) -> Check:
    try:
        return Check(name=name, state="ok", detail=look())
    except TapewireError as error:
        return Check(name=name, state="fail", detail=str(error), mend=mend)


def _policy_line(settings: Settings) -> str:
    levels = ", ".join(f"{level:.0%}" for level in load_policy(settings.policy).levels)
    return f"levels {levels}"


def _rules_line() -> str:
    rule_set = rule_set_id()
    return f"{rule_set.version}, hash {rule_set.hash[:16]}"


def sessions_check(now: Micros) -> Check:
    """Compare how far the table of sessions reaches with a time: beyond it no market is open."""
    sessions = load_sessions()
    last_us = min(days[-1].close_us for days in sessions.by_market.values())
    detail = f"{sessions.version}, up to {to_iso(last_us)[:10]}"
    if now + _SESSIONS_LEFT_US < last_us:
        return Check(name="sessions", state="ok", detail=detail)
    mend = "install a newer tapewire: after that day no market opens, and nothing is measured"
    return Check(
        name="sessions", state="fail" if now > last_us else "warn", detail=detail, mend=mend
    )


def _check_sources() -> Iterator[Check]:
    """Say which of the optional price sources can be used."""
    for name, module, extra in (
        ("Parquet prices", "pyarrow", "parquet"),
        ("Yahoo prices", "yfinance", "yahoo"),
    ):
        if find_spec(module) is None:
            mend = f'only for these: pip install "tapewire[{extra}]"'
            yield Check(name=name, state="warn", detail=f"{module} is not installed", mend=mend)
        else:
            yield Check(name=name, state="ok", detail=f"{module} {version(module)}")


def _check_broker(settings: Settings, *, is_broker_named: bool) -> Iterator[Check]:
    missing_state: State = "fail" if is_broker_named else "warn"
    try:
        partitions = run_quietly(describe_partitions(settings.broker))
    except Unavailable as error:
        mend = "for a worker; the demo brings its own"
        yield Check(name="broker", state=missing_state, detail=str(error), mend=mend)
        return
    yield Check(name="broker", state="ok", detail=f"{settings.broker} answers")
    counts = {topic.name: partitions.get(f"{settings.prefix}{topic.name}", 0) for topic in TOPICS}
    missing = [name for name, count in counts.items() if not count]
    mend = "tapewire topics apply"
    if missing:
        detail = f"not there under {settings.prefix!r}: {', '.join(missing)}"
        yield Check(name="topics", state=missing_state, detail=detail, mend=mend)
        return
    stateful = {counts[topic.name] for topic in TOPICS if topic.stateful}
    if len(stateful) > 1:
        detail = f"topics that carry state differ in partitions: {counts}"
        mend = "apply the topics under a new TAPEWIRE_PREFIX, and replay into them"
        yield Check(name="topics", state="fail", detail=detail, mend=mend)
        return
    detail = f"{len(counts)} under {settings.prefix!r}, {max(stateful)} partitions"
    yield Check(name="topics", state="ok", detail=detail)
