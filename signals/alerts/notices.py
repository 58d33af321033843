"""What a reader gets: alerts, and digests that name those that were held back."""

from dataclasses import dataclass
from typing import Literal, get_args

from signals.frozen import fast_init
from signals.messages import Alert, AlertKind, DealStatus, Micros
from signals.policy import Severity

__all__ = ["HELD_FOR", "PASSED_FOR", "Digest", "Held", "HeldFor", "Notice", "PassedFor", "Verdict"]

# due: nothing held it back. kind, severity: the policy lets it pass. ending: what the reader was
# told is retracted or superseded. heir: it takes the place of a story that the reader was told of.
PassedFor = Literal["due", "kind", "severity", "ending", "heir"]
# untold: it ends a story that the reader was never told of. outdated: a later revision came first.
HeldFor = Literal["cooldown", "budget", "untold", "outdated"]
# repeated: the same revision came again. unwatched: it is of tickers that this reader did not ask
# for.
Verdict = PassedFor | HeldFor | Literal["repeated", "unwatched"]

PASSED_FOR: tuple[PassedFor, ...] = get_args(PassedFor)
HELD_FOR: tuple[HeldFor, ...] = get_args(HeldFor)


@fast_init
@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An alert that was held back: which revision, why, and enough to see what it is about.

    ``subjects`` are the tickers whose cooldown and budget were asked; an anchor without a ticker
    stands for itself.
    """

    alert_id: str
    revision: int
    held_for: HeldFor
    kind: AlertKind
    severity: Severity
    status: DealStatus | None
    known_us: Micros
    subjects: tuple[str, ...]
    title: str
    story_id: str


@fast_init
@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """The alerts that were held back since the digest before, in the order they became known.

    Attributes:
        digest_id: follows from the reader and from what is named.
        from_us, to_us: when the first and the last of them became known.
        known_us: when the alert became known that showed the digest to be due.
    """

    kind: Literal["digest"] = "digest"
    digest_id: str
    from_us: Micros
    to_us: Micros
    known_us: Micros
    held: tuple[Held, ...]


Notice = Alert | Digest
