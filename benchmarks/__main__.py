"""Run all benchmarks, or the named one with its own options.

python -m benchmarks            all of them, one after the other
python -m benchmarks --list     their names, and what they measure
python -m benchmarks latency --rate 100
"""

import ast
import subprocess
import sys
from pathlib import Path

_FOLDER = Path(__file__).parent


def _benchmarks() -> dict[str, str]:
    """Return what each benchmark measures, by name: the modules that can be run by themselves."""
    found = {}
    for path in sorted(_FOLDER.glob("[a-z]*.py")):
        text = path.read_text(encoding="utf-8")
        if '__name__ == "__main__"' in text:
            found[path.stem] = (ast.get_docstring(ast.parse(text)) or "").split("\n")[0]
    return found


def main(arguments: list[str]) -> int:
    """Run what the arguments name and return the highest exit code; 2 for an unknown name."""
    known = _benchmarks()
    if arguments in (["--list"], ["--help"]):
        for name, text in known.items():
            print(f"{name:10} {text}")
        return 0
    if arguments and arguments[0] not in known:
        print(f"there is no benchmark {arguments[0]!r}; choose {' or '.join(known)}")
        return 2
    wanted = [arguments] if arguments else [[name] for name in known]
    codes = []
    for name, *options in wanted:
        print(f"== {name}: {known[name]}", flush=True)
        command = [sys.executable, "-m", f"benchmarks.{name}", *options]
        codes.append(subprocess.run(command, check=False, cwd=_FOLDER.parent).returncode)
    return max(codes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
