"""Policy: every threshold and span that a decision rests on, with the defaults of the design."""

from dataclasses import dataclass
from typing import Literal, get_args

from signals.messages import AlertKind

__all__ = ["DAY_US", "HOUR_US", "MINUTE_US", "SECOND_US", "DeliveryPolicy", "Policy", "Severity"]

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US

Severity = Literal["low", "medium", "high"]  # the least first

_ENDS = ("retracted", "superseded")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPolicy:
    """How quiet a reader wants it: what ``signals.alerts.delivery`` goes by.

    Attributes:
        cooldown_us: how long a ticker's alert of a story keeps the next one of the same two back.
        budget: alerts a ticker in any seven days; what is more goes into a digest.
        digest_us: a digest is sent when it is this old, counted from the first that it names.
        digest_most: a digest that names so many is sent at once.
        always: kinds of alerts that pass cooldown and budget. A correction or an explanation does
            so only where the reader has been told of what it corrects or explains. What ends a
            story that was told passes in any case, and is not in the list.
        always_severity: an alert from here up passes both where the reader has not been told of
            its story at that severity yet. None for no such.
    """

    cooldown_us: int = 30 * MINUTE_US
    budget: int = 5
    digest_us: int = DAY_US
    digest_most: int = 200
    always: tuple[AlertKind, ...] = ("status_changed", "corrected", "explained")
    always_severity: Severity | None = "high"

    def __post_init__(self) -> None:
        for field in ("digest_us", "digest_most"):
            value = getattr(self, field)
            if value <= 0:
                raise ValueError(f"{field} must be above 0, was {value}")
        for field in ("cooldown_us", "budget"):
            value = getattr(self, field)
            if value < 0:
                raise ValueError(f"{field} must be 0 or more, was {value}")
        kinds = [kind for kind in get_args(AlertKind) if kind not in _ENDS]
        for kind in self.always:
            if kind in _ENDS:
                raise ValueError(
                    f"always must leave out {kind}: what ends a story that was told passes anyhow"
                )
            if kind not in kinds:
                raise ValueError(f"always must be of {', '.join(kinds)}, was {kind}")
        severities = get_args(Severity)
        if self.always_severity not in (*severities, None):
            raise ValueError(
                f"always_severity must be {', '.join(severities)} or none, "
                f"was {self.always_severity}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Thresholds and spans, checked once.

    Attributes:
        price_late_us, headline_late_us: received less event time, above which a record is late.
        disorder_us: how much later than the longest span a key still remembers.
        future_us: how far after its receipt a headline may say that it was published.
        levels: raw ratios whose crossing is a milestone, ascending.
        horizons: milestones in minutes; ``close`` and ``next_close`` follow always.
        unexplained_raw, unexplained_z: a move since the previous close past both is reported.
        unexplained_alone: a raw move past it is reported whatever its z.
        explained_us: how long after such a move an event may still explain it.
        spill_over_raw: a related ticker's move past it is a spill-over.
        beta_days, beta_least, volatility_days: daily returns used, and the fewest for a beta.
        volume_days: daily volumes in the mean that a volume is compared with.
        stale_us: a price this old in a session is no price.
        price_step: a second is sent again within it when it has moved by this ratio.
        story_us, status_us: how long a story waits for its next telling; for a change of status.
        headline_bytes: the largest headline at the door.
        delivery: which alerts reach a reader at once; it decides nothing before the sinks.
    """

    price_late_us: int = 10 * MINUTE_US
    headline_late_us: int = 3 * DAY_US
    disorder_us: int = 3 * DAY_US
    future_us: int = 5 * MINUTE_US
    levels: tuple[float, ...] = (0.03, 0.05, 0.10, 0.20)
    horizons: tuple[int, ...] = (1, 5, 30, 60)
    unexplained_raw: float = 0.05
    unexplained_z: float = 4.0
    unexplained_alone: float = 0.20
    explained_us: int = DAY_US
    spill_over_raw: float = 0.05
    beta_days: int = 120
    beta_least: int = 60
    volatility_days: int = 60
    volume_days: int = 20
    stale_us: int = 15 * MINUTE_US
    price_step: float = 0.002
    story_us: int = 14 * DAY_US
    status_us: int = 365 * DAY_US
    headline_bytes: int = 1024 * 1024
    delivery: DeliveryPolicy = DeliveryPolicy()

    def __post_init__(self) -> None:
        for field in (
            "price_late_us", "headline_late_us", "disorder_us", "future_us", "explained_us",
            "stale_us", "story_us", "status_us", "headline_bytes", "beta_days", "beta_least",
            "volatility_days", "volume_days",
        ):  # fmt: skip
            value = getattr(self, field)
            if value <= 0:
                raise ValueError(f"{field} must be above 0, was {value}")
        if not self.levels or list(self.levels) != sorted(set(self.levels)) or self.levels[0] <= 0:
            raise ValueError(f"levels must be positive and ascending, was {self.levels}")
        if any(minutes <= 0 for minutes in self.horizons):
            raise ValueError(f"horizons must be minutes above 0, was {self.horizons}")
