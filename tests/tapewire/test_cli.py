import subprocess
import sys

import pytest

from tapewire.cli import main
from tapewire.verbs import VERBS

ACTIONS = {
    "ingest": ("headlines", "prices"),
    "topics": ("apply",),
    "rules": ("lint", "eval", "fit"),
}


def test_help_lists_every_verb_and_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0

    text = capsys.readouterr().out
    assert all(verb in text for verb in VERBS)
    assert "tapewire demo" in text
    assert "exit codes: 0 fine, 1 failed, 2 wrong usage or settings" in text


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_a_verb_says_what_it_does_with_an_example(
    verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([verb, "--help"]) == 0

    text = " ".join(capsys.readouterr().out.split())
    assert VERBS[verb].summary in text
    assert "examples:" in text or "example:" in text
    assert f"tapewire {verb}" in text.partition("example")[2]


@pytest.mark.parametrize("words", [[], ["no-such-verb"], ["classify", "--no-such-option"]])
def test_wrong_usage_is_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert "usage: tapewire" in capsys.readouterr().err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("tapewire 0.")


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["tail", "--broker", "nowhere"], 2, "TAPEWIRE_BROKER must be host:port"),
        (["topics", "apply", "--partitions", "0"], 2, "--partitions must be 1 or more, was 0"),
        (["tail", "--broker", "127.0.0.1:1"], 1, "no Kafka broker answers at 127.0.0.1:1"),
        (["ingest", "headlines", "/none.jsonl", "--broker", "127.0.0.1:1"], 1, "no Kafka broker"),
    ],
)
def test_a_fault_is_one_sentence_and_its_exit_code(
    words: list[str], code: int, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == code

    err = capsys.readouterr().err
    assert err.startswith("tapewire: ")
    assert sentence in err
    assert "Traceback" not in err


def test_python_m_tapewire_is_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tapewire", "--version"], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout[:9]) == (0, "tapewire ")
