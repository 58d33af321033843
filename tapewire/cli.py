"""The command ``tapewire``: usage, exit codes, and nothing else."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Protocol, cast

from signals.errors import ConfigError, TapewireError
from streams.memory import relax_collector
from tapewire.verbs import VERBS

__all__ = ["main"]

FINE, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130

_DESCRIPTION = """\
Tapewire joins the newswire with the ticker tape: it reads Korean and English headlines as deals,
export controls and expansions, measures what the tickers did around them, and sends alerts.
"""

_EPILOG = """\
examples:
  tapewire demo                        see the whole way once, on an embedded broker
  echo '{"id": "1", "title": "IREN signs $9.7bn Microsoft contract"}' | tapewire classify
  tapewire COMMAND --help              what a command does, its defaults and examples

exit codes: 0 fine, 1 failed, 2 wrong usage or settings.
Settings of a broker and a worker come from TAPEWIRE_* variables: docs/commands.md.
"""


class _VerbModule(Protocol):
    EXAMPLES: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, arguments: argparse.Namespace) -> int: ...


class _Version(argparse.Action):
    """Show the version; the package's metadata take 30 ms to read, so only when asked."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str) -> None:
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from importlib.metadata import version

        print(f"tapewire {version('tapewire')}")
        parser.exit()


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; errors are one sentence on stderr."""
    words = sys.argv[1:] if argv is None else list(argv)
    try:
        return _run(words)
    except ConfigError as error:
        _say(error)
        return WRONG_USAGE
    except TapewireError as error:
        _say(error)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _silence_stdout()
        return FINE


def _run(words: Sequence[str]) -> int:
    try:
        arguments, verb = _parse(words)
    except SystemExit as stop:  # argparse has said what is wrong, or has shown the help
        return stop.code if isinstance(stop.code, int) else WRONG_USAGE
    relax_collector()
    code = verb.run(arguments)
    sys.stdout.flush()
    return code


def _parse(words: Sequence[str]) -> tuple[argparse.Namespace, _VerbModule]:
    """Return the arguments and the verb's module; the other verbs' modules are not imported."""
    parser = argparse.ArgumentParser(
        prog="tapewire",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, help="show the version and exit")
    commands = parser.add_subparsers(dest="verb", metavar="COMMAND", required=True)
    called = next((word for word in words if not word.startswith("-")), None)
    module: _VerbModule | None = None
    for name, verb in VERBS.items():
        command = commands.add_parser(
            name,
            help=verb.summary,
            description=verb.summary,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if name == called:
            module = cast("_VerbModule", import_module(verb.module))
            command.epilog = module.EXAMPLES
            module.add_arguments(command)
    arguments = parser.parse_args(words)
    if module is None:
        raise AssertionError("argparse accepts only the verbs of the table")
    return arguments, module


def _say(error: Exception) -> None:
    sys.stdout.flush()
    print(f"tapewire: {error}", file=sys.stderr)


def _silence_stdout() -> None:
    """Let the interpreter's last flush go nowhere: the reader of the pipe has gone."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
