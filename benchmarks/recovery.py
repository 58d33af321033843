"""How soon a killed worker is ready again after 2 million writes on 5,000 keys, on Apache Kafka.

The figure is measured, and held to its limit, by tests/chaos/test_recovery.py: this runs that test
and prints what it says as JSON.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
_SAID = re.compile(
    r"(?P<writes>\d+) writes at (?P<writes_a_second>\d+) a second; "
    r"ready after (?P<ready_s>[\d.]+) s, of which (?P<read_state_s>[\d.]+) s read the state"
)


def main() -> int:
    """Measure and print; return pytest's exit code, 1 where it measured nothing."""
    command = [sys.executable, "-m", "pytest", "-q", "-s", "tests/chaos/test_recovery.py"]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
    said = _SAID.search(done.stdout)
    if said is None:
        print(done.stdout[-3000:], file=sys.stderr)
        return done.returncode or 1
    figures = {name: float(text) for name, text in said.groupdict().items()}
    load = [round(load, 1) for load in os.getloadavg()]
    print(json.dumps({"benchmark": "recovery", **figures, "load": load}))
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
