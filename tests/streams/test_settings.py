"""Settings are read once, and a wrong one says how to mend it."""

from pathlib import Path

import pytest

from signals.errors import ConfigError
from signals.market.markets import BENCHMARKS
from streams.settings import Settings


def test_nothing_set_gives_the_defaults() -> None:
    assert Settings.from_env({}) == Settings()


def test_variables_set_fields_and_arguments_win() -> None:
    settings = Settings.from_env(
        {"TAPEWIRE_BROKER": "kafka:9092,other:9093", "TAPEWIRE_WEB_PORT": "0", "HOME": "/"},
        web_port=7000,
        prefix=None,
    )

    assert settings.broker == "kafka:9092,other:9093"
    assert settings.web_port == 7000
    assert settings.prefix == Settings().prefix


@pytest.mark.parametrize("field", ["policy", "rules"])
def test_a_policy_or_a_pack_of_rules_is_a_file_that_exists(tmp_path: Path, field: str) -> None:
    path, name = tmp_path / "file", f"TAPEWIRE_{field.upper()}"
    path.write_text("{}")

    assert getattr(Settings.from_env({name: str(path)}), field) == path
    with pytest.raises(ConfigError, match=f"{name} must name a file"):
        Settings.from_env({name: str(tmp_path / "none")})


def test_an_unknown_variable_is_refused_and_the_known_ones_are_told() -> None:
    with pytest.raises(ConfigError, match=r"TAPEWIRE_BROKERS is no setting.*TAPEWIRE_BROKER,"):
        Settings.from_env({"TAPEWIRE_BROKERS": "127.0.0.1:9092"})


def test_variables_of_the_tests_are_left_alone() -> None:
    Settings.from_env({"TAPEWIRE_SHARED": "x", "TAPEWIRE_CACHE": "x"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BROKER", "localhost"),
        ("BROKER", "localhost:"),
        ("BROKER", ":9092"),
        ("BROKER", "localhost:0"),
        ("BROKER", "localhost:65536"),
        ("BROKER", "localhost:9092,"),
        ("PREFIX", "My Topics"),
        ("GROUP", ""),
        ("GROUP", "-x"),
        ("WORKER", "한글"),
        ("WEB_PORT", "http"),
        ("WEB_PORT", "70000"),
        ("BENCHMARKS", ""),
        ("BENCHMARKS", "QQQ"),
        ("BENCHMARKS", "XNAS="),
        ("BENCHMARKS", "XNAS=QQQ,"),
        ("BENCHMARKS", "XNAS=Q QQ"),
        ("BENCHMARKS", "XLON=^FTSE"),
        ("BENCHMARKS", "XNAS=QQQ,XNAS=SPY"),
        ("BENCHMARKS", "XNAS=QQQ=SPY"),
    ],
)
def test_a_wrong_value_names_its_variable(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"TAPEWIRE_{name} must"):
        Settings.from_env({f"TAPEWIRE_{name}": value})


def test_an_empty_prefix_is_allowed() -> None:
    assert Settings.from_env({"TAPEWIRE_PREFIX": ""}).prefix == ""


def test_a_market_that_is_not_named_keeps_its_benchmark() -> None:
    settings = Settings.from_env({"TAPEWIRE_BENCHMARKS": "XNAS=QQQ, XKOS=^KQ11"})

    assert settings.benchmarks_by_market == {
        "XKOS": "^KQ11",
        "XKRX": "^KS11",
        "XNAS": "QQQ",
        "XNYS": "SPY",
    }
    assert Settings().benchmarks_by_market == BENCHMARKS


def test_a_wrong_benchmark_is_shown_with_the_markets_there_are() -> None:
    with pytest.raises(ConfigError, match=r"XKOS, XKRX, XNAS, XNYS.*'XLON=\^FTSE'.*write it like"):
        Settings.from_env({"TAPEWIRE_BENCHMARKS": "XNAS=QQQ,XLON=^FTSE"})
