"""The metrics of a worker: one field each, labels from closed sets only, in base units."""

from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from signals.errors import BadReason
from signals.messages import AlertKind
from streams.topics import HEADLINES, PRICES, TOPICS

__all__ = ["Metrics", "show_build"]

_FOLD_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
_WAY_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600)
_RECORDS = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500)


class Metrics:
    """Everything that a worker counts, in one registry.

    ``topic`` labels are names of the topic registry, without the prefix of the settings.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.records_in = Counter(
            "tapewire_records_in_total",
            "Records that an agent has read and that are committed in its state.",
            ["topic"],
            registry=registry,
        )
        self.records_out = Counter(
            "tapewire_records_out_total",
            "Records that an agent has sent and that the broker has acknowledged.",
            ["topic"],
            registry=registry,
        )
        self.dead_letters = Counter(
            "tapewire_dead_letters_total",
            "Records that could not be read or folded, by the topic that they came from.",
            ["topic", "reason"],
            registry=registry,
        )
        self.stage_seconds = Histogram(
            "tapewire_stage_seconds",
            "Seconds that an agent took to fold one batch of records.",
            ["agent"],
            buckets=_FOLD_SECONDS,
            registry=registry,
        )
        self.end_to_end_seconds = Histogram(
            "tapewire_end_to_end_seconds",
            "Seconds from the append of the first input to the acknowledgement of an output.",
            ["agent"],
            buckets=_WAY_SECONDS,
            registry=registry,
        )
        self.batch_records = Histogram(
            "tapewire_batch_records",
            "Records in one committed batch of an agent.",
            ["agent"],
            buckets=_RECORDS,
            registry=registry,
        )
        self.lag_records = Gauge(
            "tapewire_lag_records",
            "Records on the assigned partitions of a topic that are not yet folded.",
            ["topic"],
            registry=registry,
        )
        self.skipped = Counter(
            "tapewire_skipped_total",
            "Records that came again and were in the state already.",
            ["agent"],
            registry=registry,
        )
        self.state_rows = Gauge(
            "tapewire_state_rows",
            "Rows that an agent keeps, graves of deleted rows included.",
            ["agent"],
            registry=registry,
        )
        self.recovery_seconds = Gauge(
            "tapewire_recovery_seconds",
            "Seconds that the last recovery of the state took.",
            registry=registry,
        )
        self.alerts = Counter(
            "tapewire_alerts_total",
            "Alert records sent, by their kind and severity.",
            ["kind", "severity"],
            registry=registry,
        )
        self.events = Counter(
            "tapewire_events_total",
            "Event records sent, by the type of the event.",
            ["type"],
            registry=registry,
        )
        self._start_at_zero()

    def _start_at_zero(self) -> None:
        """Show every series whose labels are known: an increase is seen only from a value on."""
        for topic in TOPICS:
            if topic.stateful:
                self.records_in.labels(topic.name)
                for reason in get_args(BadReason):
                    self.dead_letters.labels(topic.name, reason)
            if topic not in (HEADLINES, PRICES):
                self.records_out.labels(topic.name)
        for kind in get_args(AlertKind):
            for severity in ("low", "medium", "high"):
                self.alerts.labels(kind, severity)


def show_build(registry: CollectorRegistry, *, version: str, rules: str) -> None:
    """Register the metric that names the program's version and the hash of its rule set."""
    build_info = Gauge(
        "tapewire_build_info",
        "Always 1; the labels name the program's version and its rule set.",
        ["version", "rules"],
        registry=registry,
    )
    build_info.labels(version, rules).set(1)
