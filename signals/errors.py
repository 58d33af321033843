"""The errors that Tapewire raises, and what each one means for whoever catches it.

    TapewireError
    ├── ConfigError    wrong settings, policy or usage: stop at the start, exit code 2
    ├── BadMessage     one message cannot be read: dead letter, count, go on
    └── Unavailable    a broker or a feed does not answer: retry with backoff, stop, exit code 1

Anything else is a bug: the process ends and its supervisor starts it again.
"""

from typing import Literal

__all__ = ["BadMessage", "BadReason", "ConfigError", "TapewireError", "Unavailable"]

# Closed: these are the values of the metric label and of the dead letter's header.
BadReason = Literal[
    "null_value",  # a tombstone where a message was expected
    "invalid_utf8",  # the bytes are not UTF-8
    "not_json",  # the text is not one JSON value
    "wrong_type",  # a field holds another JSON type than its own
    "missing_field",  # a required field is absent
    "bad_value",  # the right type, but a value that makes no sense
    "no_publish_time",  # a headline without a publish time
    "bad_publish_time",  # a publish time that is not one
    "future_publish_time",  # published later than received, beyond the tolerance
    "too_large",  # more bytes than the largest headline
    "late",  # a price beyond the allowed lateness
    "step_failed",  # the fold raised: a bug, kept with the message that shows it
    "output_too_large",  # what the fold made of it does not fit a topic
]


class TapewireError(Exception):
    """Every error that Tapewire raises on purpose."""


class ConfigError(TapewireError):
    """A setting, policy or argument is wrong; the message says how to mend it in one sentence."""


class Unavailable(TapewireError):  # noqa: N818 - the state of a peer, named as users say it
    """A broker or feed does not answer."""


class BadMessage(TapewireError):  # noqa: N818 - a kind of message, named as the field does
    """A message that cannot be read.

    Attributes:
        reason: one of a closed set, for the metric and the dead letter's header.
        path: where the fault is, like ``$.published_us`` or ``$.parties[2].name``.
        detail: what was expected and what was seen, in one sentence.
    """

    def __init__(self, reason: BadReason, path: str, detail: str) -> None:
        super().__init__(f"{path}: {detail}")
        self.reason: BadReason = reason
        self.path = path
        self.detail = detail
