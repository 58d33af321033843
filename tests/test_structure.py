"""The shape of the code: what style and layers promise, read from the source."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("tapewire", "agents", "streams", "signals")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
LONGEST_MODULE, LONGEST_FUNCTION = 400, 50  # lines; the aim is 300 and 40
# Lists of declarations, which are read entry by entry: all messages, all metrics.
DECLARATIONS = {"signals/messages.py", "streams/metrics.py"}


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize(
    "path", [path for path in MODULES if _name(path) not in DECLARATIONS], ids=_name
)
def test_a_module_is_small_and_its_functions_too(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    long = {
        function.name: length
        for function in _functions(path)
        if (length := (function.end_lineno or 0) - function.lineno + 1) > LONGEST_FUNCTION
    }

    assert lines <= LONGEST_MODULE
    assert long == {}


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_a_module_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


_LEFT_OVER = ("TO" + "DO", "FIX" + "ME", "X" * 3, "NotImplemented" + "Error")


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_nothing_is_left_for_later(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert [word for word in _LEFT_OVER if word in text] == []


# Fails on what a module may not do while it is imported. numpy sets a variable for its own BLAS,
# and matplotlib keeps a list of fonts: they come first.
_WATCHED = """
import sys
from importlib import import_module
for name in ("matplotlib.figure", "numpy", "pyarrow.parquet"):
    import_module(name)
BANNED = {"socket.connect", "socket.bind", "subprocess.Popen", "os.putenv", "os.system"}
def watch(event, arguments):
    writes = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
    if event in BANNED or writes:
        raise AssertionError(f"{event} {arguments} at import")
sys.dont_write_bytecode = True
sys.addaudithook(watch)
for name in sys.argv[1:]:
    import_module(name)
print("faust" in sys.modules)
"""


def _import_in_a_new_process(*modules: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", _WATCHED, *modules],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_does_no_work_and_needs_no_faust() -> None:
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in MODULES
        if path.parts[len(ROOT.parts)] in ("streams", "signals")
    ]

    assert _import_in_a_new_process(*modules) == "False"


def test_the_command_does_not_load_faust() -> None:
    assert _import_in_a_new_process("tapewire.cli", "tapewire.verbs.classify") == "False"
