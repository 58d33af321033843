"""Apache Kafka's jars: resolved once by Maven into a cache folder, then used without network."""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from signals.errors import ConfigError, Unavailable
from streams.brokers.process import Supervised

__all__ = ["find_java", "java_banner", "kafka_available", "kafka_jars", "locked"]

_OLDEST_JAVA = 17  # Apache Kafka 4's broker
_RESOLVE_S = 600.0


def find_java() -> Path | None:
    """Return the ``java`` of JAVA_HOME, else the one on the path."""
    home = os.environ.get("JAVA_HOME")
    if home and (Path(home) / "bin" / "java").is_file():
        return Path(home) / "bin" / "java"
    found = shutil.which("java")
    return Path(found) if found else None


def java_banner(java: Path) -> str:
    """Return what a ``java`` says of itself, its exact build included; "" if it does not run."""
    try:
        answer = subprocess.run(
            [java, "-version"], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stderr


def kafka_available() -> str | None:
    """Return why Apache Kafka cannot run on this machine, or None when it can."""
    java = find_java()
    if java is None:
        return f"no Java: install a Java runtime, {_OLDEST_JAVA} or newer"
    version = _major_version(java_banner(java))
    if version is None or version < _OLDEST_JAVA:
        found = f"Java {version}" if version else "a Java that does not run"
        return f"{java} is {found}: Apache Kafka needs Java {_OLDEST_JAVA} or newer"
    if not _libs(_pom()).is_dir() and shutil.which("mvn") is None:
        return "no Maven (mvn), which fetches Apache Kafka's jars once"
    return None


def kafka_jars() -> Path:
    """Return the folder of Kafka's jars, which Maven fills at the first call on a machine.

    Raises: Unavailable when Maven cannot resolve them, with the end of what it says.
    """
    pom = _pom()
    libs = _libs(pom)
    if libs.is_dir():
        return libs
    libs.parent.mkdir(parents=True, exist_ok=True)
    with locked(libs.with_suffix(".lock")):
        if not libs.is_dir():  # another process may have filled it while we waited
            _resolve(pom, libs)
    return libs


def _resolve(pom: Path, libs: Path) -> None:
    mvn = shutil.which("mvn")
    if mvn is None:
        raise ConfigError("Maven (mvn) is needed once to fetch Apache Kafka's jars; install it")
    # Renamed when complete: a folder under its final name is always whole.
    partial = libs.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    command = [mvn, "-q", "-B", "-Dstyle.color=never", "-f", str(pom)]
    command += ["dependency:copy-dependencies", "-DincludeScope=runtime"]
    log = libs.with_suffix(".log")
    log.unlink(missing_ok=True)
    maven = Supervised([*command, f"-DoutputDirectory={partial}"], log=log)
    try:
        code = maven.wait(_RESOLVE_S)
    except subprocess.TimeoutExpired as error:
        raise Unavailable(
            f"Maven had not fetched Apache Kafka after {_RESOLVE_S:.0f} s; the end of {log}:\n"
            f"{maven.last_lines()}"
        ) from error
    finally:
        maven.stop()
    if code != 0 or not any(partial.glob("kafka_*.jar")):
        raise Unavailable(
            f"Maven could not fetch Apache Kafka (exit code {code}); the end of {log}:\n"
            f"{maven.last_lines()}"
        )
    partial.rename(libs)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock among the processes of this machine."""
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # let go when the file closes, also by a kill
        yield


def _pom() -> Path:
    # A wheel carries the file beside this module; in a checkout it lies in deploy/.
    packaged = Path(__file__).with_name("pom.xml")
    return packaged if packaged.is_file() else _checkout_pom()


def _checkout_pom() -> Path:
    pom = Path(__file__).parents[2] / "deploy" / "kafka" / "pom.xml"
    if not pom.is_file():
        raise ConfigError(
            f"the list of Apache Kafka's jars is missing: {pom}; install tapewire anew"
        )
    return pom


def _libs(pom: Path) -> Path:
    digest = hashlib.sha256(pom.read_bytes()).hexdigest()[:16]
    return _cache_folder(os.environ) / f"kafka-{digest}"


def _cache_folder(environment: Mapping[str, str]) -> Path:
    if own := environment.get("TAPEWIRE_CACHE"):
        return Path(own)
    base = environment.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "tapewire"


def _major_version(banner: str) -> int | None:
    found = re.search(r'version "(?:1\.)?(\d+)', banner)
    return int(found[1]) if found else None
