"""Apache Kafka in KRaft mode: one broker on the local JVM, also for several workers."""

import base64
import hashlib
import subprocess
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from signals.errors import ConfigError, Unavailable
from streams.brokers.jars import find_java, java_banner, kafka_available, kafka_jars, locked
from streams.brokers.process import BrokerProcess, Supervised, free_port, start_until_ready

__all__ = ["start"]

_LOG_SETTINGS = Path(__file__).with_name("log4j2.xml")
_FORMAT_S = 60.0
_ARCHIVE_S = 120.0
# C1 alone and one collector thread: up sooner, and two cores stay free for the clients.
_JVM = ("-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")


def start(folder: Path, *, port: int = 0, timeout_s: float = 60.0) -> BrokerProcess:
    """Start Apache Kafka with its data in ``folder``; the first start on a machine runs Maven.

    Raises: ConfigError without Java or Maven; Unavailable when the broker does not come up.
    """
    java = find_java()
    if (reason := kafka_available()) or java is None:
        raise ConfigError(f"Apache Kafka cannot run here: {reason}")
    archive = _class_archive(java, kafka_jars())
    command = _java_command(java, f"-XX:SharedArchiveFile={archive}")
    return _start(command, folder, port=port, timeout_s=timeout_s)


def _class_archive(java: Path, libs: Path) -> Path:
    """Return Kafka's classes as this JVM lays them out in memory, made at the first call.

    It halves the processor time of a start (4.6 to 2.4 s); another build of Java needs its own.
    """
    build = hashlib.sha256(java_banner(java).encode()).hexdigest()[:16]
    archive = libs.with_name(f"{libs.name}-{build}.jsa")
    if archive.is_file():
        return archive
    with locked(archive.with_suffix(".jsa.lock")), TemporaryDirectory() as folder:
        if not archive.is_file():
            partial = archive.with_suffix(".partial")
            partial.unlink(missing_ok=True)
            command = _java_command(java, f"-XX:ArchiveClassesAtExit={partial}")
            _start(command, Path(folder), port=0, timeout_s=_ARCHIVE_S).stop()
            if partial.is_file():  # else this JVM makes none, and starts at its own speed
                partial.rename(archive)
    return archive


def _java_command(java: Path, option: str) -> list[str]:
    logging = f"-Dlog4j2.configurationFile={_LOG_SETTINGS}"
    return [str(java), *_JVM, option, logging, "-cp", f"{kafka_jars()}/*"]


def _start(java: list[str], folder: Path, *, port: int, timeout_s: float) -> BrokerProcess:
    properties = folder / "server.properties"
    data = folder / "data"
    if not (data / "meta.properties").is_file():
        _write(properties, _settings(data, port or 9092, 9093))
        _format(java, properties, folder)

    def command_on(chosen: int) -> list[str]:
        _write(properties, _settings(data, chosen, free_port()))
        return [*java, "kafka.Kafka", str(properties)]

    return start_until_ready(
        "kafka",
        command_on,
        folder=folder,
        port=port,
        ready_text="Kafka Server started",
        timeout_s=timeout_s,
    )


def _format(java: list[str], properties: Path, folder: Path) -> None:
    # The id of a cluster is 16 bytes in base64; the folder's path tells one cluster from another.
    # The first byte is zero: an id that begins with a hyphen would be read as an option.
    digest = b"\0" + hashlib.sha256(str(folder.resolve()).encode()).digest()[:15]
    cluster = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    command = [*java, "kafka.tools.StorageTool", "format", "--ignore-formatted"]
    tool = Supervised([*command, "-t", cluster, "-c", str(properties)], log=folder / "broker.log")
    try:
        code = tool.wait(_FORMAT_S)
    except subprocess.TimeoutExpired as error:
        raise Unavailable(
            f"Apache Kafka's storage was not formatted within {_FORMAT_S:.0f} s:\n"
            f"{tool.last_lines()}"
        ) from error
    finally:
        tool.stop()
    if code != 0:
        raise Unavailable(
            f"Apache Kafka's storage could not be formatted (exit code {code}):\n"
            f"{tool.last_lines()}"
        )


def _settings(data: Path, port: int, controller_port: int) -> Mapping[str, str]:
    one = "1"
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        # Voters by setting, not in the stored log: the ports differ from one start to the next.
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "log.dirs": str(data),
        "auto.create.topics.enable": "false",
        "group.initial.rebalance.delay.ms": "0",
        # There is one broker to hold a copy.
        "offsets.topic.replication.factor": one,
        "transaction.state.log.replication.factor": one,
        "transaction.state.log.min.isr": one,
        "share.coordinator.state.topic.replication.factor": one,
        "share.coordinator.state.topic.min.isr": one,
        # Few partitions of the internal topics: 50 each would be made at the first group.
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.num.partitions": "4",
        # A topic takes larger records by its own max.message.bytes; a copy must be able to follow.
        "replica.fetch.max.bytes": str(16 * 1024 * 1024),
        # 128 MiB by default, a quarter of the heap.
        "log.cleaner.dedupe.buffer.size": str(32 * 1024 * 1024),
        "num.network.threads": "2",
        "num.io.threads": "4",
    }


def _write(path: Path, settings: Mapping[str, str]) -> None:
    lines = (f"{name}={value}\n" for name, value in settings.items())
    path.write_text("".join(lines), encoding="utf-8")
