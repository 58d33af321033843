"""``tapewire stories``: the stories that headlines are grouped into, against labels."""

import argparse
from pathlib import Path

from streams.codec import to_json
from streams.crosswise import crosswise_reader
from streams.policy_file import load_policy
from streams.rule_labels import read_labels
from streams.story_eval import evaluate_stories, to_lines
from streams.story_labels import read_story_labels, read_titles

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES = """\
eval: headlines, by their titles alone, go through the reader and the folds in the order of time,
and the story ids on the last alerts are compared with labels: JSON lines with id (12 hex digits of
the title's SHA-256), story, type, lang and published_at. Titles come from JSON lines, or from the
headings of Markdown digests. Half of the stories, by their name's hash, are held out. With
--crosswise the weights are fitted anew for each fold of the labels that they were learned from, so
that no headline is read by weights that saw it (a minute and a half; needs tapewire[fit]).

examples:
  tapewire stories eval --labels stories.jsonl --headlines news.jsonl digests/*.md
  tapewire stories eval --labels stories.jsonl --headlines news.jsonl --crosswise types.jsonl
  tapewire stories eval --labels stories.jsonl --headlines news.jsonl --json | jq .parts.all.cubed
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the action and what it takes."""
    actions = parser.add_subparsers(dest="action", metavar="eval", required=True)
    scored = actions.add_parser("eval", help="score the stories of labelled headlines")
    scored.add_argument("--labels", type=Path, required=True, metavar="FILE", help="JSON lines")
    scored.add_argument(
        "--headlines",
        type=Path,
        nargs="+",
        required=True,
        metavar="FILE",
        help="with the titles: JSON lines, or Markdown digests",
    )
    scored.add_argument(
        "--crosswise",
        type=Path,
        metavar="FILE",
        help="labels of types, as rules fit takes them: fit without a headline's fold to read it",
    )
    scored.add_argument(
        "--policy",
        type=Path,
        metavar="FILE",
        help="thresholds as YAML (default: TAPEWIRE_POLICY, else the defaults)",
    )
    scored.add_argument("--json", action="store_true", help="one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Print the scores."""
    labels = read_story_labels(arguments.labels)
    titles = read_titles(arguments.headlines)
    seen = arguments.crosswise
    read = None if seen is None else crosswise_reader(read_labels(seen))
    evaluation = evaluate_stories(labels, titles, load_policy(arguments.policy), read)
    if arguments.json:
        print(to_json(evaluation))
    else:
        print("\n".join(to_lines(evaluation, titles)))
    return 0
