"""The ways to replay: raw records without a broker or through agents, or what a live run wrote."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from signals import names
from signals.errors import ConfigError
from signals.fold import Agent, Output
from signals.messages import Alert
from signals.policy import DAY_US, Policy
from streams.assemble import assemble_agents, rule_set_id
from streams.codec import encode
from streams.last_state import LastState
from streams.pace import Pace
from streams.parallel import Inputs, replay_in_parallel
from streams.recording import Recording, open_recording, read_manifest
from streams.recordings.manifest import ParquetManifest
from streams.replay import Report, replay_raw
from streams.rule_files import RuleFiles
from streams.settings import Settings
from streams.sources.prices_file import Interval
from streams.topic_reader import StoredTopics, TopicReader
from tapewire.alert_log import AlertLog
from tapewire.recorded_run import recompute_reactions, replay_reactions
from tapewire.replay_inputs import RAW_TOPICS, Input, Span, Told, file_inputs, recording_inputs
from tapewire.replaying import fold_inputs, in_canonical_order, paced, unsorted_inputs
from tapewire.taps import tapped

__all__ = ["Given", "Job", "replay_exactly", "replay_from_raw", "replay_with_agents"]

# A record is stamped with its event time, which may lie days before its receipt.
_SLACK_MS = 7 * DAY_US // 1000

Take = Callable[[Agent, Output], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """Where records come from: files, a recording, or the topics of a broker."""

    headlines: tuple[Path, ...] = ()
    prices: tuple[Path, ...] = ()
    bar: Interval | None = None
    recording: Path | None = None

    @property
    def is_files(self) -> bool:
        """Return whether it is files."""
        return bool(self.headlines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is replayed, by what, and how.

    Attributes:
        given: where the records come from; the topics of the settings where nothing is named.
        settings: the broker and the prefix, where they are needed.
        policy: thresholds and spans; ``rules`` decide, those that ship where None.
        span: which records count.
        pace: how fast raw records go by.
        jobs: processes, for files.
        count: called with what has been done to a record.
        tell: called with how far it is, in a few words.
        note: called with what is as it should be, in one sentence; ``warn`` with what is not.
        take: called with each output of the fold; None if nobody wants them.
    """

    given: Given
    settings: Settings
    policy: Policy
    rules: RuleFiles | None
    span: Span
    pace: Pace
    jobs: int
    count: Callable[[str], None]
    tell: Callable[[str], None]
    note: Callable[[str], None]
    warn: Callable[[str], None]
    take: Take | None = None

    def agents(self) -> tuple[Agent, ...]:
        """Return the four agents."""
        return assemble_agents(self.policy, rules=self.rules)


# ---- what a live run wrote -----------------------------------------------------------------------


def replay_exactly(job: Job, log: AlertLog) -> tuple[Report, bool]:
    """Log the alerts that the live run sent; say whether its reactions come out again.

    Returns: the counts, and False where reactions differ.
    Raises: ConfigError for a recording that is not whole, or does not begin at offset 0.
    """
    with _recording(job, (names.REACTIONS,)) as recording:
        _note_what_is_odd(job)
        report = replay_reactions(
            recording, job.agents(), span=job.span, take=_logging(job, log), on_record=job.count
        )
        is_whole = job.given.recording is not None and _is_complete(job.given.recording)
        if not job.span.is_open or not is_whole:
            return report, True
        return report, _are_reactions_equal(job, recording)


def _are_reactions_equal(job: Job, recording: Recording) -> bool:
    compared = recompute_reactions(recording, job.agents(), on_record=job.count)
    if compared is None:
        return True
    what = "reactions recomputed from the journal"
    if not compared.missing and not compared.extra:
        job.note(f"{compared.equal:,} {what}: equal")
        return True
    job.warn(
        f"{what}: {compared.equal:,} equal, {compared.missing:,} recorded ones did not come out, "
        f"{compared.extra:,} came out that were not recorded; was the policy or the rule set "
        "another one, or was it recorded while the agents were at work?"
    )
    return False


def _note_what_is_odd(job: Job) -> None:
    """Say that a recording was stopped, or was made with other rules than it is replayed with."""
    if job.given.recording is None:
        return
    manifest = read_manifest(job.given.recording)
    if not isinstance(manifest, ParquetManifest):
        return
    if not manifest.complete:
        job.warn("the recording was stopped before its end; what it holds is replayed")
    for topic in (names.JOURNAL, names.REACTIONS):
        if topic in manifest.topics and (gaps := manifest.gaps(topic)):
            job.warn(
                f"{gaps:,} offsets of {topic} hold no record; what retention took before it was "
                "recorded is missing here"
            )
    own = rule_set_id(job.rules)
    if manifest.rule_sets and own not in manifest.rule_sets:
        seen = ", ".join(f"{rules.version} ({rules.hash[:12]})" for rules in manifest.rule_sets)
        job.warn(
            f"the recording was made with rule set {seen}, this is {own.version} "
            f"({own.hash[:12]}); --rules FILE replays with another"
        )


def _is_complete(folder: Path) -> bool:
    manifest = read_manifest(folder)
    return not isinstance(manifest, ParquetManifest) or manifest.complete


# ---- raw records ---------------------------------------------------------------------------------


def replay_from_raw(job: Job, told: Told, log: AlertLog) -> Report:
    """Log the alerts of raw records, folded without a broker in the canonical order.

    Returns: the counts.
    """
    if job.jobs > 1:
        return _replay_in_parallel(job, told, log)
    with _inputs(job, told) as inputs:
        agents = tapped(job.agents(), _logging(job, log), keeps_alerts=True)
        if job.take is None and not job.pace.speed:
            return fold_inputs(
                inputs,
                agents,
                told,
                span=job.span,
                on_record=job.count,
                on_unsorted=lambda name: _warn_unsorted(job, name),
                on_restart=log.clear,
            )
        # What comes out goes out at once: the order must be known before.
        unsorted = unsorted_inputs(inputs, lambda name: _warn_unsorted(job, name))
        records = paced(in_canonical_order(inputs, job.span, unsorted=unsorted), job.pace)
        report = replay_raw(_counted(records, job), agents)
    report.dead.update(told.dead)
    return report


def _logging(job: Job, log: AlertLog) -> Take:
    """Return what logs alerts, and hands every output on to who wants them."""

    def take(agent: Agent, output: Output) -> None:
        if isinstance(output.message, Alert):
            log.add(output.message)
        if job.take is not None:
            job.take(agent, output)

    return take


def _log_all(log: AlertLog, report: Report) -> None:
    for alert in report.alerts:
        log.add(alert)


def _replay_in_parallel(job: Job, told: Told, log: AlertLog) -> Report:
    given = job.given
    inputs = Inputs(
        headlines=given.headlines,
        prices=given.prices,
        bar=given.bar,
        policy=job.policy,
        benchmarks=job.settings.benchmarks_by_market,
        rules=job.rules,
    )
    return replay_in_parallel(
        inputs,
        jobs=job.jobs,
        on_bad=told.refuse,
        on_progress=lambda count: job.tell(f"{count:,} records folded"),
        alerts=log,
    )


def _counted(
    records: Iterator[tuple[str, str, object]], job: Job
) -> Iterator[tuple[str, str, object]]:
    for record in records:
        job.count("folded")
        yield record


def _warn_unsorted(job: Job, name: str) -> None:
    job.warn(f"{name} is not in the order of receipt; it is sorted in memory")


# ---- through agents ------------------------------------------------------------------------------


def replay_with_agents(
    job: Job, told: Told, log: AlertLog, *, own_broker: str | None, compare: bool
) -> tuple[Report, bool]:
    """Log the alerts of an isolated live run over raw records; say whether it ended the same.

    Args:
        job: nothing is taken.
        told: the faults of the inputs.
        log: takes the alerts.
        own_broker: the name of a broker to start for it; None for that of the settings.
        compare: replay the same records without a broker, and compare the last states.
    """
    # Only here: an isolated run is the one replay that needs Faust.
    from tapewire.through_agents import run_through_agents

    with _inputs(job, told) as inputs:
        unsorted = unsorted_inputs(inputs, lambda name: _warn_unsorted(job, name))
        outcome = run_through_agents(
            in_canonical_order(inputs, job.span, unsorted=unsorted),
            job.agents(),
            job.settings,
            own_broker=own_broker,
            pace=job.pace,
            tell=job.tell,
        )
        outcome.report.dead.update(told.dead)
        _log_all(log, outcome.report)
        if not compare:
            return outcome.report, True
        expected = LastState()

        def take(_: Agent, output: Output) -> None:
            if output.topic in LastState.TOPICS:
                expected.add(encode(output.message))

        records = in_canonical_order(inputs, job.span, unsorted=unsorted)
        replay_raw(_counted(records, job), tapped(job.agents(), take, keeps_alerts=True))
    return outcome.report, _do_states_agree(job, outcome.last_state, expected)


def _do_states_agree(job: Job, found: LastState, expected: LastState) -> bool:
    ours, theirs = found.standing(), expected.standing()
    if ours == theirs:
        job.note(
            f"{len(ours):,} last states, through the agents and without a broker: equal, "
            f"sha256 {found.sha256()}"
        )
        return True
    differing = sorted(
        subject
        for subject in ours.keys() | theirs.keys()
        if ours.get(subject) != theirs.get(subject)
    )
    kind, name = differing[0]
    job.warn(
        f"last states, through the agents and without a broker: {len(differing):,} differ, "
        f"the first is {kind} {name}"
    )
    return False


# ---- where records come from ---------------------------------------------------------------------


@contextmanager
def _inputs(job: Job, told: Told) -> Iterator[list[Input]]:
    given = job.given
    if given.is_files:
        yield file_inputs(
            given.headlines,
            given.prices,
            told,
            bar=given.bar,
            benchmarks=job.settings.benchmarks_by_market,
        )
        return
    with _recording(job, tuple(RAW_TOPICS)) as recording:
        yield recording_inputs(recording, told)


@contextmanager
def _recording(job: Job, topics: tuple[str, ...]) -> Iterator[Recording]:
    """Yield a recording, or the topics of the broker as one."""
    if job.given.recording is not None:
        yield open_recording(job.given.recording)
        return
    prefix, from_us = job.settings.prefix, job.span.from_us
    is_raw = names.REACTIONS not in topics
    since_ms = None if from_us is None or not is_raw else from_us // 1000 - _SLACK_MS
    with TopicReader(job.settings.broker, [prefix + topic for topic in topics]) as reader:
        yield StoredTopics(reader, prefix, since_ms=since_ms)


def check_jobs(job: Job) -> None:
    """Raise ConfigError where several processes cannot do what is asked."""
    if job.jobs > 1 and (
        not job.given.is_files or not job.span.is_open or job.pace.speed or job.take is not None
    ):
        raise ConfigError(
            "--jobs is for files alone, as a whole and as fast as it goes; leave it out"
        )
