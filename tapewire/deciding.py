"""A decision made again: from what was received by the time that an alert became known, no more."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from signals import names
from signals.errors import BadMessage, ConfigError
from signals.fold import Agent, Output
from signals.messages import Alert, EventRelay, Micros, MoveReport, Reaction, Reactions
from signals.policy import Policy
from streams.assemble import assemble_agents, rule_set_id
from streams.codec import decode
from streams.recording import Recording, open_recording
from streams.replay import Pipeline
from streams.rule_files import RuleFiles
from streams.settings import Settings
from streams.sources.prices_file import Interval
from streams.topic_reader import StoredTopics, TopicReader
from tapewire.recorded_run import check_from_zero
from tapewire.replay_inputs import RAW_TOPICS, Input, Span, Told, file_inputs, recording_inputs
from tapewire.replaying import fold_inputs
from tapewire.taps import tapped

__all__ = ["Again", "Evidence", "decide_again"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Where the inputs of a decision lie, and by what it was made.

    Attributes:
        settings: the broker and the prefix, where no file and no recording is named.
        raw: headlines and prices, also where the agents' own records are at hand.
    """

    settings: Settings
    policy: Policy
    rules: RuleFiles | None = None
    headlines: tuple[Path, ...] = ()
    prices: tuple[Path, ...] = ()
    bar: Interval | None = None
    recording: Path | None = None
    raw: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """What came of it.

    Attributes:
        alert: the revision that was looked for; None where the inputs do not give it.
        given: the revisions of the alert that they give, in order.
        records: how many were folded; of: their topics.
    """

    alert: Alert | None
    given: tuple[int, ...]
    records: int
    of: tuple[str, ...]


def decide_again(alert: Alert, evidence: Evidence) -> Again:
    """Fold what was received by ``alert.known_us``, and return what it gives of that alert.

    From recorded reactions the decision of the live run comes out byte for byte. From headlines and
    prices it does where the alert came of a replay of the same; what a live run decided on the way
    may rest on the order in which its topics came.

    Raises: ConfigError for inputs that cannot be read or are not whole, and for an alert that other
        rules decided.
    """
    _check_rules(alert, evidence.rules)
    agents = assemble_agents(evidence.policy, rules=evidence.rules)
    if evidence.headlines:
        told = Told(lambda _: None)  # a line that is refused now was refused then
        inputs = file_inputs(
            evidence.headlines,
            evidence.prices,
            told,
            bar=evidence.bar,
            benchmarks=evidence.settings.benchmarks_by_market,
        )
        return _from_inputs(alert, inputs, agents, told)
    with _open(evidence) as recording:
        if names.REACTIONS in recording.topics and not evidence.raw:
            return _from_reactions(alert, recording, agents)
        told = Told()
        return _from_inputs(alert, recording_inputs(recording, told), agents, told)


def _check_rules(alert: Alert, rules: RuleFiles | None) -> None:
    ours = rule_set_id(rules)
    if alert.rules != ours:
        raise ConfigError(
            f"{alert.alert_id} was decided by rule set {alert.rules.version} "
            f"({alert.rules.hash[:12]}), this is {ours.version} ({ours.hash[:12]}); "
            "--rules FILE checks with another"
        )


@contextmanager
def _open(evidence: Evidence) -> Iterator[Recording]:
    if evidence.recording is not None:
        yield open_recording(evidence.recording)
        return
    prefix = evidence.settings.prefix
    topics = tuple(RAW_TOPICS) if evidence.raw else (names.REACTIONS,)
    with TopicReader(evidence.settings.broker, [prefix + topic for topic in topics]) as reader:
        yield StoredTopics(reader, prefix)


def _from_reactions(alert: Alert, recording: Recording, agents: Iterable[Agent]) -> Again:
    """A story lives on one key: what other keys had is none of its inputs."""
    check_from_zero(recording, names.REACTIONS)
    pipeline, found, records = Pipeline(agents), _Found(alert), 0
    for record in recording.read(names.REACTIONS):
        if record.key != alert.anchor.encode():
            continue
        try:
            message = decode(record.value, Reactions)
        except BadMessage:
            continue  # the live run has it among its dead letters
        if _known_us(message) > alert.known_us:
            continue
        records += 1
        for output in pipeline.fold(names.REACTIONS, alert.anchor, message):
            found.take(output.message)
    return found.again(records, (names.REACTIONS,))


def _known_us(message: EventRelay | Reaction | MoveReport) -> Micros:
    if isinstance(message, EventRelay):
        return max(message.known_us, message.event.received_us)
    return message.move.known_us


def _from_inputs(alert: Alert, inputs: list[Input], agents: tuple[Agent, ...], told: Told) -> Again:
    found = _Found(alert)

    def take(_: Agent, output: Output) -> None:
        found.take(output.message)

    report = fold_inputs(
        inputs,
        tapped(agents, take, keeps_alerts=True),
        told,
        span=Span(as_of_us=alert.known_us),
        on_restart=found.clear,
    )
    return found.again(sum(report.read.values()), tuple(sorted(report.read)))


class _Found:
    """The revisions of one alert, as they come; the first record of each stands."""

    def __init__(self, alert: Alert) -> None:
        self._alert = alert
        self._revisions: dict[int, Alert] = {}

    def clear(self) -> None:
        self._revisions.clear()

    def take(self, message: object) -> None:
        if isinstance(message, Alert) and message.alert_id == self._alert.alert_id:
            self._revisions.setdefault(message.revision, message)

    def again(self, records: int, of: tuple[str, ...]) -> Again:
        return Again(
            alert=self._revisions.get(self._alert.revision),
            given=tuple(sorted(self._revisions)),
            records=records,
            of=of,
        )
