"""Several processes give the very report of one, and end as it does."""

import json
from datetime import date
from pathlib import Path

import pytest

from signals.errors import BadMessage, ConfigError
from signals.policy import Policy
from streams.assemble import assemble_agents
from streams.parallel import Inputs, replay_in_parallel
from streams.replay import Report, alert_lines, replay_raw
from streams.sources.headlines_file import read_headlines
from streams.sources.merge import canonical_order
from streams.sources.price_files import read_price_files
from tapewire.alert_log import AlertLog
from tapewire.recorded import read_recorded_headlines
from tapewire.recorded.tape import write_tape


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    """The recorded headlines, some of them revised, and two days; one bad line in each file."""
    folder = tmp_path_factory.mktemp("inputs")
    lines = [
        json.dumps(
            {"id": h.id, "title": h.title, "lang": h.lang, "published_us": h.published_us,
             "received_us": h.received_us + number * 60_000_000, "revision": number + 1,
             "source": h.source},
        )
        for h in read_recorded_headlines()
        for number in range(2 if "03" in h.id else 1)
    ]  # fmt: skip
    headlines, prices = folder / "headlines.jsonl", folder / "prices.csv"
    headlines.write_text("\n".join([*lines, "{not json"]) + "\n", encoding="utf-8")
    days = (date(2025, 10, 31), date(2025, 11, 3))
    write_tape(prices, days=days, tickers=("IREN", "MSFT", "DELL", "AMZN", "SPY"), minutes=5)
    with prices.open("a", encoding="utf-8") as file:
        file.write("2025-11-03T21:00:00Z,IREN,NaN,1,1,1,1,2025-11-03T21:05:00Z,bar,,x\n")
    return Inputs(headlines=(headlines,), prices=(prices,))


def _alone(inputs: Inputs) -> tuple[Report, list[str]]:
    faults: list[str] = []

    def refuse(error: BadMessage) -> None:
        faults.append(str(error))

    records = canonical_order(
        (h for path in inputs.headlines for h in read_headlines(path, on_bad=refuse)),
        read_price_files(inputs.prices, bar=inputs.bar, on_bad=refuse),
    )
    return replay_raw(records, assemble_agents(Policy())), sorted(faults)


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_any_number_of_processes_gives_the_same_report(inputs: Inputs, jobs: int) -> None:
    alone, alone_faults = _alone(inputs)
    faults: list[str] = []

    together = replay_in_parallel(inputs, jobs=jobs, on_bad=lambda e: faults.append(str(e)))

    assert list(alert_lines(together.alerts)) == list(alert_lines(alone.alerts))
    assert len(alone.alerts) > 50
    assert (together.read, together.dead) == (alone.read, alone.dead)
    assert sorted(faults) == alone_faults
    assert len(faults) == 2


def test_a_bad_line_ends_the_run_where_nobody_takes_it(inputs: Inputs) -> None:
    with pytest.raises(BadMessage, match=r"headlines\.jsonl"):
        replay_in_parallel(inputs, jobs=2)


def test_a_file_that_is_not_there_ends_the_run_with_its_name(tmp_path: Path) -> None:
    missing = Inputs(headlines=(tmp_path / "none.jsonl",), prices=(tmp_path / "none.csv",))

    with pytest.raises(ConfigError, match=r"none\.jsonl"):
        replay_in_parallel(missing, jobs=2)


def test_files_in_any_order_give_the_same_report(inputs: Inputs, tmp_path: Path) -> None:
    by_ticker = tmp_path / "by_ticker.csv"
    head, *rows = inputs.prices[0].read_text(encoding="utf-8").splitlines()
    by_ticker.write_text(
        "\n".join([head, *sorted(rows, key=lambda row: row.split(",")[1])]) + "\n", encoding="utf-8"
    )
    backwards = tmp_path / "backwards.jsonl"
    lines = inputs.headlines[0].read_text(encoding="utf-8").splitlines()
    backwards.write_text("\n".join(reversed(lines)) + "\n", encoding="utf-8")
    alone, _ = _alone(inputs)
    faults: list[str] = []

    together = replay_in_parallel(
        Inputs(headlines=(backwards,), prices=(by_ticker,)),
        jobs=2,
        on_bad=lambda error: faults.append(str(error)),
    )

    assert list(alert_lines(together.alerts)) == list(alert_lines(alone.alerts))
    assert (together.read, together.dead) == (alone.read, alone.dead)
    assert len(faults) == 2  # each once, although the files were read again to be sorted


@pytest.mark.parametrize("is_sorted", [True, False])
def test_alerts_may_be_kept_elsewhere_than_in_memory(
    inputs: Inputs, tmp_path: Path, is_sorted: bool
) -> None:
    headlines = inputs.headlines[0]
    if not is_sorted:  # begins again, which the log must not tell twice
        lines = headlines.read_text(encoding="utf-8").splitlines()
        headlines = tmp_path / "backwards.jsonl"
        headlines.write_text("\n".join(reversed(lines)) + "\n", encoding="utf-8")
    log = AlertLog()
    given = Inputs(headlines=(headlines,), prices=inputs.prices)

    report = replay_in_parallel(given, jobs=2, on_bad=lambda _: None, alerts=log)

    alone, _ = _alone(inputs)
    assert list(log.lines()) == list(alert_lines(alone.alerts))
    assert (report.alerts, report.read) == ([], alone.read)
