"""Stories against labels: the figures by hand, and what is reached on the labelled set."""

import os
from pathlib import Path

import pytest

from signals.messages import Micros
from signals.policy import Policy
from streams.crosswise import crosswise_reader
from streams.rule_labels import read_labels
from streams.story_eval import evaluate_stories
from streams.story_labels import StoryLabel, read_story_labels, read_titles
from streams.story_scores import score_stories

_LABELS = Path(__file__).parent.parent / "stories" / "stories.jsonl"


def _label(name: str, story: str, lang: str = "en") -> StoryLabel:
    return StoryLabel(id=name, story=story, type="deal", lang=lang, published_us=Micros(0))


def test_pairs_and_b_cubed_by_hand() -> None:
    labels = [_label("a", "x"), _label("b", "x", "ko"), _label("c", "x"), _label("d", "y")]
    told = [frozenset({"s1"}), frozenset({"s1"}), frozenset[str](), frozenset({"s1"})]

    scores = score_stories(labels, told)

    every = scores.pairs["all"]
    # a-b is right; a-d and b-d are wrong; a-c and b-c are missed, since c was not read.
    assert (every.right, every.wrong, every.missed, every.unread) == (1, 2, 2, 2)
    assert (every.precision, every.recall) == (1 / 3, 1 / 3)
    assert scores.pairs["en-ko"].right == 1
    # a and b: two thirds of their story are theirs; d: a third; c is alone.
    assert scores.cubed.precision == pytest.approx((2 / 3 + 2 / 3 + 1 + 1 / 3) / 4)
    assert scores.cubed.recall == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 1) / 4)
    assert [merge.stories for merge in scores.merges] == [("x", "y")]
    assert [split.unread for split in scores.splits] == [("c",)]


def test_what_is_reached_on_the_labelled_stories_is_kept() -> None:
    shared = os.environ.get("TAPEWIRE_SHARED")
    if shared is None:
        pytest.skip("TAPEWIRE_SHARED names no folder of shared data")
    data = Path(shared) / "data"
    titles = read_titles(
        [data / "labelled_headlines.jsonl", *sorted((data / "blog_ko").glob("*.md"))]
    )

    # By weights that have not seen the headlines: on their own labels all readings look good.
    read = crosswise_reader(read_labels(data / "labelled_headlines.jsonl"))

    found = evaluate_stories(read_story_labels(_LABELS), titles, Policy(), read)

    every, held_out = found.parts["all"], found.parts["held out"]
    assert every.pairs["all"].precision >= 0.90
    assert every.pairs["all"].recall >= 0.58
    assert held_out.pairs["all"].precision >= 0.93
    assert held_out.pairs["all"].recall >= 0.50
    assert every.cubed.f1 >= 0.835
