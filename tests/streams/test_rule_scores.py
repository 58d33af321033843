"""The figures of ``rules eval``, on a handful of labels whose counts are made by hand."""

from decimal import Decimal
from pathlib import Path

import pytest

from signals.errors import ConfigError
from streams.rule_labels import Label, fold_of_groups, group_of, read_labels
from streams.rule_scores import Found, Scores, score_readings

ISSUERS = dict.fromkeys(("2330.TW", "TSM"), ("2330.TW", "TSM"))
USD_5 = frozenset([(Decimal("5"), "USD")])


def label(types: str = "", **fields: object) -> Label:
    plain: dict[str, object] = {
        "id": "0", "lang": "en", "source": "wire", "month": "2025-06", "title": "-",
        "tickers": frozenset(), "amounts": frozenset(), "status": None, "direction": None,
        "hard": False,
    }  # fmt: skip
    return Label(types=frozenset(types.split()), **(plain | fields))  # type: ignore[arg-type]


def found(types: str = "", confidence: float = 0.9, **fields: object) -> Found:
    plain: dict[str, object] = {
        "tickers": frozenset(), "amounts": frozenset(), "status": None, "direction": None,
    }  # fmt: skip
    return Found(types=dict.fromkeys(types.split(), confidence), **(plain | fields))  # type: ignore[arg-type]


def score(*rows: tuple[Label, Found]) -> Scores:
    return score_readings([one for one, _ in rows], [one for _, one in rows], ISSUERS)


def test_types_are_counted_by_language_type_and_source() -> None:
    scores = score(
        (label("deal"), found("deal")),
        (label("deal expansion", lang="ko"), found("deal")),
        (label(), found("deal")),
        (label("deal", hard=True, lang="ko"), found()),
    )
    every = scores.types["all"]

    assert (every.right, every.wrong, every.missed) == (2, 1, 2)
    assert every.precision == pytest.approx(2 / 3)
    assert every.recall == pytest.approx(0.5)
    assert every.f1 == pytest.approx(4 / 7)
    assert every.forgiving == pytest.approx(4 / 6)  # one of the two misses is of a hard row
    assert scores.types["ko expansion"].missed == 1
    assert scores.types["en deal"].f1 == pytest.approx(2 / 3)
    assert scores.types["wire"] == every


def test_the_interval_is_seeded_and_holds_the_figure() -> None:
    rows = [(label("deal"), found("deal" if place % 3 else "")) for place in range(60)]

    one = score(*rows).types["all"]

    assert one == score(*rows).types["all"]
    assert one.low < one.f1 < one.high


def test_a_hard_row_is_right_when_nothing_is_read() -> None:
    scores = score(
        (label("deal", hard=True), found()),
        (label("deal"), found()),
        (label(), found()),
        (label("deal", hard=True), found("expansion")),
    )

    assert (scores.exact_sets["all"].right, scores.exact_sets["all"].of) == (2, 4)
    assert (scores.exact_sets["typed"].right, scores.exact_sets["typed"].of) == (1, 3)


def test_any_listing_of_an_issuer_counts_and_only_where_the_type_was_found() -> None:
    scores = score(
        (label("deal", tickers=frozenset(["TSM"])), found("deal", tickers=frozenset(["2330.TW"]))),
        (label("deal", tickers=frozenset(["AIR.PA"])), found("deal", tickers=frozenset(["BA"]))),
        (label("deal", tickers=frozenset(["GM"])), found()),
    )
    home, world = scores.tickers["all"], scores.tickers_world["all"]

    assert (home.right, home.wrong, home.missed) == (1, 1, 0)
    assert (world.right, world.wrong, world.missed) == (1, 1, 1)


def test_money_status_and_direction_are_scored_where_the_type_was_found() -> None:
    signed = found("deal", amounts=USD_5, status="signed")
    scores = score(
        (label("deal", amounts=USD_5, status="agreed"), signed),
        (label("deal", status="signed"), signed),
        (label("deal", amounts=USD_5, status="closed"), found()),
        (label("export_control", direction="relax"), found("export_control", direction="relax")),
    )  # fmt: skip

    assert (scores.money.right, scores.money.of) == (1, 2)
    assert (scores.status.right, scores.status.of) == (1, 2)
    assert scores.status_confusion == {"agreed>signed": 1, "signed>signed": 1}
    assert (scores.direction.right, scores.direction.of) == (1, 1)


def test_calibration_and_false_alarms() -> None:
    scores = score(
        (label("deal"), found("deal", 0.9)),
        (label(), found("deal", 0.9)),
        (label("deal"), found("deal", 0.6)),
        (label(), found()),
    )

    assert [(one.low, one.count, one.right) for one in scores.bins] == [
        (0.6, 1, 1.0),
        (0.9, 2, 0.5),
    ]
    assert scores.calibration_error == pytest.approx((0.4 * 1 + 0.4 * 2) / 3)
    assert (scores.sure.right, scores.sure.of) == (1, 2)
    assert scores.false_alarms["all"] == pytest.approx(500)


LINE = (
    '{"id": "%s", "lang": "ko", "source": "wire", "published_at": "2025-06-03T00:00:00Z",'
    ' "title": "-", "types": ["deal"], "tickers": [],'
    ' "amounts": [{"value": 5.0, "currency": "USD"}],'
    ' "status": null, "direction": null, "hard": false}\n'
)


def test_labels_are_corrected_by_hash_with_a_reason(tmp_path: Path) -> None:
    labels, corrections = tmp_path / "labels.jsonl", tmp_path / "corrections.jsonl"
    labels.write_text(LINE % "aa" + LINE % "bb", encoding="utf-8")
    corrections.write_text('{"id": "bb", "types": [], "reason": "a tariff"}\n', encoding="utf-8")

    first, second = read_labels(labels, corrections)

    assert (first.types, first.month, first.amounts) == ({"deal"}, "2025-06", USD_5)
    assert second.types == frozenset()


@pytest.mark.parametrize("line", ['{"id": "aa", "types": []}', '{"id": "aa", "reason": "so"}'])
def test_a_correction_needs_a_field_and_a_reason(line: str, tmp_path: Path) -> None:
    labels, corrections = tmp_path / "labels.jsonl", tmp_path / "corrections.jsonl"
    labels.write_text(LINE % "aa", encoding="utf-8")
    corrections.write_text(line, encoding="utf-8")

    with pytest.raises(ConfigError, match="line 1"):
        read_labels(labels, corrections)


def test_a_line_that_is_no_label_is_named(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text(LINE % "aa" + '{"id": "bb"}\n', encoding="utf-8")

    with pytest.raises(ConfigError, match="line 2"):
        read_labels(path, None)


def test_a_month_is_in_one_fold_and_a_translation_with_its_source() -> None:
    labels = [
        label("deal", month="2025-06", source="one"),
        label("deal", month="2025-06", source="two"),
        label("deal", month="2025-07"),
        label("deal", month="", source="old"),
        label("deal", month="", source="old_ko"),
    ]
    folds = fold_of_groups(labels, folds=2)

    assert [group_of(one) for one in labels] == ["2025-06", "2025-06", "2025-07", "old", "old"]
    assert folds == {"2025-06": 0, "old": 1, "2025-07": 0}
