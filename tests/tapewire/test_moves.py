"""tapewire moves: sessions of price files as an analyst looks them up."""

import json
from pathlib import Path

import pytest

from tapewire.cli import main

# The facts of three New York shares on 3 November 2025, and the close before; SPY beside them.
_DAYS = """\
time,ticker,open,high,low,close,volume
2025-10-31,IREN,60.00,62.10,58.90,60.75,40000000
2025-11-03,IREN,73.07,75.73,64.40,67.75,80440700
2025-10-31,DELL,162.00,163.10,160.10,162.01,5000000
2025-11-03,DELL,167.15,168.08,159.90,160.11,4614600
2025-10-31,CIFR,18.10,18.90,17.90,18.65,50000000
2025-11-03,CIFR,22.94,25.11,21.02,22.76,135849900
"""
_SPY = """\
Date,Open,High,Low,Close,Adj Close,Volume
2025-10-31,685.0,685.9,679.2,682.06,679.0,87000000
2025-11-03,685.67,685.80,679.94,683.34,680.2,57000000
"""


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    days, spy = tmp_path / "days.csv", tmp_path / "SPY.csv"
    days.write_text(_DAYS, encoding="utf-8")
    spy.write_text(_SPY, encoding="utf-8")
    return [str(days), str(spy)]


def _json(words: list[str], capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    assert main(["moves", *words, "--json"]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_sessions_are_shown_against_the_close_before_them(
    files: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["moves", "--bar", "1d", *files, "--day", "2025-11-03"]) == 0

    head, cifr, dell, iren, _ = (line.split() for line in capsys.readouterr().out.splitlines())
    assert head[:6] == ["session", "ticker", "before", "gap", "at", "high"]
    assert iren[:6] == ["2025-11-03", "IREN", "60.75", "+20.3", "%", "09:30"]
    assert "67.75 +11.5 %" in " ".join(iren)
    assert "+3.2 % 09:30" in " ".join(dell)
    assert "160.11 -1.2 %" in " ".join(dell)
    assert "+23.0 % 09:30" in " ".join(cifr)
    assert "22.76 +22.0 %" in " ".join(cifr)


def test_a_benchmark_in_another_file_adjusts_the_moves(
    files: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--bar", "1d", "--ticker", "IREN", "--day", "2025-11-03"]
    (alone,) = _json([*words, files[0]], capsys)
    (beside,) = _json([*words, *files], capsys)

    def abnormal(moves: dict[str, object]) -> float | None:
        close = moves["close"]
        assert isinstance(close, dict)
        value: float | None = close["abnormal"]
        return value

    assert abnormal(alone) is None
    # Beta is 1 where too few closes are known.
    assert abnormal(beside) == pytest.approx(67.75 / 60.75 - 683.34 / 682.06, abs=1e-9)


def test_korean_heads_stand_over_their_columns(
    files: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["moves", "--bar", "1d", *files, "--lang", "ko", "--ticker", "IREN"]) == 0

    head, row = capsys.readouterr().out.splitlines()
    assert head.split() == [
        "거래일", "종목", "전일", "종가", "시가", "갭", "시각", "고가", "저가", "종가",
        "등락률", "시장", "조정", "z", "거래량",
    ]  # fmt: skip
    assert row.split()[:3] == ["2025-11-03", "IREN", "60.75"]


def test_a_step_like_a_split_has_no_figure_until_a_record_tells_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    days, splits = tmp_path / "days.csv", tmp_path / "splits.csv"
    days.write_text(
        "time,ticker,open,high,low,close\n"
        "2025-10-31,NFLX,1100,1125,1090,1118.86\n2025-11-03,NFLX,112.1,113.0,109.5,110.01\n",
        encoding="utf-8",
    )
    splits.write_text("time,ticker,ratio\n2025-11-03,NFLX,10\n", encoding="utf-8")

    assert main(["moves", "--bar", "1d", str(days), "--day", "2025-11-03"]) == 0
    assert capsys.readouterr().out.splitlines()[1].count("split?") == 4
    (told,) = _json(["--bar", "1d", str(days), str(splits), "--day", "2025-11-03"], capsys)
    close = told["close"]
    assert isinstance(close, dict)
    assert close["raw"] == pytest.approx(1100.1 / 1118.86 - 1, abs=1e-9)
    assert close["flags"] == ["split"]


def test_a_record_that_there_was_no_split_makes_the_fall_a_fall(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    days, splits = tmp_path / "days.csv", tmp_path / "splits.csv"
    days.write_text(
        "time,ticker,open,high,low,close\n"
        "2025-10-31,NFLX,100,101,99,100\n2025-11-03,NFLX,50,51,49,50\n",
        encoding="utf-8",
    )
    splits.write_text("time,ticker,ratio\n2025-11-03,NFLX,1\n", encoding="utf-8")

    (told,) = _json(["--bar", "1d", str(days), str(splits), "--day", "2025-11-03"], capsys)

    close = told["close"]
    assert isinstance(close, dict)
    assert (close["raw"], close["flags"]) == (-0.5, [])  # no split was counted in


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--ticker", "NVDA"], "no session of the files is among those"),
        (["--day", "2025-11-08"], "no session of the files is among those"),
    ],
)
def test_nothing_to_show_is_said_in_one_sentence(
    files: list[str], words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["moves", "--bar", "1d", *files, *words]) == 2
    assert said in capsys.readouterr().err


def test_a_row_that_cannot_be_read_is_refused_and_the_others_are_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    days = tmp_path / "days.csv"
    days.write_text(_DAYS + "2025-11-03,IREN,NaN,1,1,1,1\n", encoding="utf-8")

    assert main(["moves", "--bar", "1d", str(days), "--ticker", "IREN"]) == 1
    captured = capsys.readouterr()
    assert "days.csv:8 $.open" in captured.err
    assert "2025-11-03  IREN" in captured.out
