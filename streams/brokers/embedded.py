"""The embedded broker: noida-db, one small binary from PyPI that speaks Kafka's protocol.

For the demo and for tests with one worker: it never evicts a dead member of a group.
"""

import importlib.util
from pathlib import Path

from signals.errors import ConfigError
from streams.brokers.process import BrokerProcess, start_until_ready

__all__ = ["start"]

_PACKAGE = "noida_db"


def start(folder: Path, *, port: int = 0, timeout_s: float = 60.0) -> BrokerProcess:
    """Start noida-db with its data in ``folder``.

    Raises: ConfigError when the package is missing; Unavailable when the broker does not come up.
    """
    binary = _binary()

    def command_on(chosen: int) -> list[str]:
        address = ["--host", "127.0.0.1", "--kafka-port", str(chosen)]
        return [str(binary), "start", "--only", "kafka", *address, "--data-dir", str(folder / "db")]

    return start_until_ready(
        "embedded",
        command_on,
        folder=folder,
        port=port,
        ready_text="press Ctrl-C to stop",
        timeout_s=timeout_s,
    )


def _binary() -> Path:
    # Not its console script: that one makes a child of its own and passes no signal on.
    package = importlib.util.find_spec(_PACKAGE)
    if package is None or package.origin is None:
        raise ConfigError(
            'the embedded broker is not installed; install it with pip install "tapewire[demo]"'
        )
    binary = Path(package.origin).with_name("noida-db")
    binary.chmod(0o755)  # pip keeps no executable bit on a package's data files
    return binary
