"""``tapewire rules``: the rule set against its own examples and labelled headlines, and its fit."""

import argparse
from datetime import UTC, datetime, timedelta
from pathlib import Path

from signals.errors import ConfigError
from signals.reading.ruleset import ENGINE
from streams.assemble import rule_set_id
from streams.clock import now_us
from streams.codec import to_json
from streams.rule_eval import evaluate, to_lines, to_page
from streams.rule_files import pack_rules, shipped_files
from streams.rule_fit import fit_weights, to_yaml
from streams.rule_labels import CORRECTIONS, Label, read_labels
from streams.rule_lint import lint_rules
from streams.rule_loading import load_rules
from streams.rule_words import count_words, to_word_file
from streams.rules import RULES_FOLDER, RULES_JSON, compile_rules

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES = """\
lint: each entry has texts in which it must be found and texts in which it must not. The exit code
is 1 if one does not hold.
compile: the files into rules.json, which ships; pack: rules, rates and tables as one file, which
tapewire replay --rules runs again, byte for byte, on a tapewire of the same engine.
eval: how the rules read labelled headlines: JSON lines with id, lang, source, published_at, title,
types, tickers, amounts, status, direction, hard. --crosswise fits the weights anew for each fold.
words: the words that very many of such headlines have, by which no story is told from another.
fit: weights, calibration and thresholds learned from such headlines.

examples:
  tapewire rules lint
  tapewire rules lint --folder my-rules --json | jq -r .problem
  tapewire rules eval --labels labels.jsonl --json | jq .scores.types.all
  tapewire rules eval --labels labels.jsonl --report docs/quality.md
  tapewire rules pack --out rules-2026.11.json
  tapewire rules fit --labels labels.jsonl --out signals/reading/rules/weights.yaml
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions and what they take."""
    actions = parser.add_subparsers(
        dest="action", metavar="lint|compile|pack|eval|words|fit", required=True
    )
    lint = actions.add_parser("lint", help="run every entry's own examples")
    lint.add_argument(
        "--folder",
        type=Path,
        default=RULES_FOLDER,
        help="of rule files (default: those that ship)",
    )
    lint.add_argument("--json", action="store_true", help="one complaint a line")
    compiled = actions.add_parser("compile", help="compile a folder of rule files")
    compiled.add_argument("--folder", type=Path, default=RULES_FOLDER, help="of rule files")
    compiled.add_argument("--out", type=Path, default=RULES_JSON, help="default: where it ships")
    packed = actions.add_parser("pack", help="keep all that decides in one file")
    packed.add_argument("--out", type=Path, required=True, metavar="FILE", help="of the pack")
    scored = actions.add_parser("eval", help="score the rules on labelled headlines")
    _add_labels(scored)
    scored.add_argument(
        "--crosswise", action="store_true", help="fit and score over folds by month and source"
    )
    shown = scored.add_mutually_exclusive_group()
    shown.add_argument("--json", action="store_true", help="one JSON object")
    shown.add_argument(
        "--report", type=Path, metavar="FILE", help="write a page of both, crosswise first"
    )
    words = actions.add_parser("words", help="list the words that very many headlines have")
    _add_labels(words)
    words.add_argument("--out", type=Path, help="of the words (default: stdout)")
    fit = actions.add_parser("fit", help="learn the weights from labelled headlines")
    _add_labels(fit)
    fit.add_argument("--out", type=Path, help="of the weights (default: stdout)")


def _add_labels(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--labels", type=Path, required=True, metavar="FILE", help="JSON lines")
    parser.add_argument(
        "--corrections",
        type=Path,
        default=CORRECTIONS,
        metavar="FILE",
        help="of labels, by hash (default: those that ship)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Do what the action says; of ``lint`` return 1 if an entry does not hold."""
    if arguments.action == "lint":
        return _lint(arguments)
    if arguments.action == "compile":
        _write(arguments.out, compile_rules(arguments.folder).decode())
        return 0
    if arguments.action == "pack":
        return _pack(arguments.out)
    labels = read_labels(arguments.labels, arguments.corrections)
    if arguments.action == "eval":
        _eval(arguments, labels)
    elif arguments.action == "words":
        titles = [label.title for label in labels if label.month]
        lines = to_word_file(count_words(titles, load_rules()), len(titles))
        _write(arguments.out, "\n".join(lines) + "\n")
    else:
        _write(arguments.out, to_yaml(fit_weights(labels), labels))
    return 0


def _pack(out: Path) -> int:
    _write(out, pack_rules(shipped_files()).decode())
    id_ = rule_set_id()
    print(f"{out}: rule set {id_.version}, hash {id_.hash}, engine {ENGINE}")
    return 0


def _eval(arguments: argparse.Namespace, labels: tuple[Label, ...]) -> None:
    if arguments.report is not None:
        both = [evaluate(labels, crosswise=crosswise) for crosswise in (True, False)]
        day = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=now_us())
        _write(arguments.report, to_page(both, labels, day=f"{day:%Y-%m-%d}"))
        return
    evaluation = evaluate(labels, crosswise=arguments.crosswise)
    print(to_json(evaluation) if arguments.json else "\n".join(to_lines(evaluation)))


def _write(path: Path | None, text: str) -> None:
    if path is None:
        print(text, end="")
        return
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}; name a file") from error


def _lint(arguments: argparse.Namespace) -> int:
    if not arguments.folder.is_dir():
        raise ConfigError(f"--folder must name a folder of rule files, {arguments.folder} is none")
    complaints = lint_rules(arguments.folder)
    for complaint in complaints:
        if arguments.json:
            print(to_json(complaint))
        else:
            print(f"{complaint.entry}: {complaint.problem}")
    if not arguments.json:
        print(f"{arguments.folder.name}: {len(complaints)} complaints")
    return 1 if complaints else 0
