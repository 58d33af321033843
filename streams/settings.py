"""Settings of a process, read once at its start from ``TAPEWIRE_*`` variables."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from signals.errors import ConfigError
from signals.market.markets import BENCHMARKS, MARKETS

__all__ = ["PREFIX", "Settings"]

PREFIX = "TAPEWIRE_"
# Read by the tests and by the brokers' start, not by a worker.
_OTHERS = frozenset({"TAPEWIRE_SHARED", "TAPEWIRE_CACHE", "TAPEWIRE_REQUIRE_KAFKA"})
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,80}", re.ASCII)
_BENCHMARK = re.compile(rf"({'|'.join(MARKETS)})=([^\s=,]{{1,64}})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a process needs to know; each field is the variable ``TAPEWIRE_<FIELD>``.

    Attributes:
        broker: ``host:port`` of the Kafka broker, several separated by commas.
        prefix: put before every topic name, so that an isolated run is another prefix.
        group: the consumer group; its workers share the partitions.
        worker: this worker's name in the group; a restart under the same name keeps its partitions.
        web_host, web_port: where ``/metrics`` and ``/readyz`` are served.
        policy: a YAML file of thresholds; the defaults where it is not given.
        rules: a pack of rules, tables and rates; those that ship where it is not given.
        benchmarks: ``MIC=TICKER``, several separated by commas: what a market's moves are measured
            against. A market that is not named keeps its default.
    """

    broker: str = "127.0.0.1:9092"
    prefix: str = "tapewire."
    group: str = "tapewire"
    worker: str = "worker-0"
    web_host: str = "127.0.0.1"
    web_port: int = 6066
    policy: Path | None = None
    rules: Path | None = None
    benchmarks: str = ",".join(f"{mic}={ticker}" for mic, ticker in BENCHMARKS.items())

    def __post_init__(self) -> None:
        for part in self.broker.split(","):
            host, _, port = part.strip().rpartition(":")
            if not host or not port.isdigit() or not 0 < int(port) < 65536:
                raise ConfigError(
                    f"TAPEWIRE_BROKER must be host:port, was {self.broker!r}; "
                    "write it like 127.0.0.1:9092"
                )
        for field in ("group", "worker"):
            value = getattr(self, field)
            if not _NAME.fullmatch(value):
                raise ConfigError(
                    f"TAPEWIRE_{field.upper()} must be lower-case letters, digits, dots and "
                    f"hyphens, was {value!r}; write it like {field}-1"
                )
        if self.prefix and not _NAME.fullmatch(self.prefix):
            raise ConfigError(
                "TAPEWIRE_PREFIX must be lower-case letters, digits, dots and hyphens, "
                f"was {self.prefix!r}; write it like tapewire."
            )
        if not 0 <= self.web_port < 65536:
            raise ConfigError(
                f"TAPEWIRE_WEB_PORT must be 0 to 65535, was {self.web_port}; 0 takes a free one"
            )
        for field in ("policy", "rules"):
            path: Path | None = getattr(self, field)
            if path is not None and not path.is_file():
                raise ConfigError(
                    f"TAPEWIRE_{field.upper()} must name a file, {path} is none; "
                    "leave it out for the defaults"
                )
        self._check_benchmarks()

    def _check_benchmarks(self) -> None:
        named: set[str] = set()
        for part in self.benchmarks.split(","):
            found = _BENCHMARK.fullmatch(part.strip())
            if found is None or found[1] in named:
                raise ConfigError(
                    f"TAPEWIRE_BENCHMARKS must name {', '.join(MARKETS)} each at most once, as "
                    f"MIC=TICKER, was {part.strip()!r} in {self.benchmarks!r}; "
                    "write it like XNAS=QQQ,XKOS=^KQ11"
                )
            named.add(found[1])

    @property
    def benchmarks_by_market(self) -> Mapping[str, str]:
        """Return the benchmark's ticker of each market, by MIC."""
        pairs = (part.strip().split("=", 1) for part in self.benchmarks.split(","))
        return {**BENCHMARKS, **dict(pairs)}

    @classmethod
    def from_env(cls, environment: Mapping[str, str], **overrides: object) -> "Settings":
        """Return the settings of an environment; ``overrides`` (not None) come from arguments.

        Raises: ConfigError for a variable that is not known or a value that makes no sense.
        """
        known = {f"{PREFIX}{field.name.upper()}": field.name for field in fields(cls)}
        values: dict[str, object] = {}
        for name, text in sorted(environment.items()):
            if not name.startswith(PREFIX) or name in _OTHERS:
                continue
            if name not in known:
                choices = ", ".join(sorted(known))
                raise ConfigError(f"{name} is no setting; the settings are {choices}")
            values[known[name]] = text
        values |= {name: value for name, value in overrides.items() if value is not None}
        if isinstance(values.get("web_port"), str):
            text = str(values["web_port"])
            if not text.isdigit():
                raise ConfigError(
                    f"TAPEWIRE_WEB_PORT must be a whole number, was {text!r}; write it like 6066"
                )
            values["web_port"] = int(text)
        for name in ("policy", "rules"):
            if isinstance(values.get(name), str):
                values[name] = Path(str(values[name]))
        return cls(**values)  # type: ignore[arg-type]  # values come from the fields' own names
