"""Runs one command and ends it when whoever started this program is gone.

A program of its own, started by path and on the standard library alone, so that it is up in 20 ms.
Its standard input is a pipe whose other end only the starter holds: the pipe closes when the
starter stops the command, exits, or is killed with SIGKILL. The command shares this program's
process group, which is not the terminal's: Ctrl-C reaches the starter, which first drains.

Usage: ``python supervisor.py COMMAND ARGUMENT…``; the exit code is the command's.
"""

import ctypes
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable

# Between SIGTERM and SIGKILL: noida-db needs 30 s to save 3 GB, and loses what it has not saved.
GRACE_S = 45.0
_PARENT_CHECK_S = 2.0
_PR_SET_PDEATHSIG = 1


def main() -> int:
    """Run the command of the arguments and return its exit code."""
    parent = os.getppid()
    signal.signal(signal.SIGTERM, lambda *_: _end_group())
    child = subprocess.Popen(
        sys.argv[1:],
        stdin=subprocess.DEVNULL,
        preexec_fn=_end_with_supervisor() if sys.platform == "linux" else None,
    )
    threading.Thread(target=_watch_parent, args=(parent,), daemon=True).start()
    code = child.wait()
    return code if code >= 0 else 128 - code


def _end_with_supervisor() -> Callable[[], None]:
    """Return what the child does before it becomes the command: end when this program is killed."""
    libc = ctypes.CDLL(None)
    supervisor = os.getpid()

    def arrange() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != supervisor:
            os._exit(1)

    return arrange


def _watch_parent(parent: int) -> None:
    # A process that the starter forked may hold the pipe open too: its parent's id tells as well.
    while os.getppid() == parent:
        readable, _, _ = select.select([0], [], [], _PARENT_CHECK_S)
        if readable and not os.read(0, 1024):
            break
    os.kill(os.getpid(), signal.SIGTERM)


_ending = threading.Event()


def _end_group() -> None:
    if _ending.is_set():
        return  # the signal to the group comes back to this process
    _ending.set()
    timer = threading.Timer(GRACE_S, os.killpg, (0, signal.SIGKILL))
    timer.daemon = True
    timer.start()
    os.killpg(0, signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
