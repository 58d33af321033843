from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from signals.errors import ConfigError
from signals.policy import DAY_US, HOUR_US, MINUTE_US, DeliveryPolicy, Policy
from streams.policy_file import load_policy, parse_policy

EXAMPLE = Path(__file__).parents[2] / "deploy" / "policy.yaml"


def test_example_file_holds_every_default() -> None:
    written = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))

    assert load_policy(EXAMPLE) == Policy()
    assert set(written) == {field.name.removesuffix("_us") for field in fields(Policy)}
    assert set(written["delivery"]) == {
        field.name.removesuffix("_us") for field in fields(DeliveryPolicy)
    }


def test_no_file_and_an_empty_file_give_the_defaults() -> None:
    assert load_policy(None) == Policy()
    assert parse_policy("# nothing\n", "p.yaml") == Policy()


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("price_late: 90 s", {"price_late_us": 90_000_000}),
        ("price_late: 1 min", {"price_late_us": MINUTE_US}),
        ("story: 12 hours", {"story_us": 12 * HOUR_US}),
        ("story: 2 weeks", {"story_us": 14 * DAY_US}),
        ("story_us: 5000000", {"story_us": 5_000_000}),
        ("levels: [0.01, 1]", {"levels": (0.01, 1.0)}),
        ("horizons: [1 min, 2 h]", {"horizons": (1, 120)}),
        ("headline_bytes: 64 KiB", {"headline_bytes": 65536}),
        ("headline_bytes: 1000", {"headline_bytes": 1000}),
        ("unexplained_z: 5", {"unexplained_z": 5.0}),
        ("beta_days: 90", {"beta_days": 90}),
    ],
)
def test_reads(text: str, changed: dict[str, object]) -> None:
    assert parse_policy(text, "p.yaml") == Policy(**changed)  # type: ignore[arg-type]  # field names


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("cooldown: 1 h", {"cooldown_us": HOUR_US}),
        ("cooldown_us: 0", {"cooldown_us": 0}),
        ("budget: 0", {"budget": 0}),
        ("digest: 12 h", {"digest_us": 12 * HOUR_US}),
        ("always: []", {"always": ()}),
        ("always: [new, explained]", {"always": ("new", "explained")}),
        ("always_severity: medium", {"always_severity": "medium"}),
        ("always_severity: none", {"always_severity": None}),
        ("always_severity:", {"always_severity": None}),
    ],
)
def test_reads_the_block_of_the_delivery(text: str, changed: dict[str, object]) -> None:
    expected = DeliveryPolicy(**changed)  # type: ignore[arg-type]  # field names

    assert parse_policy(f"delivery:\n  {text}\n", "p.yaml") == Policy(delivery=expected)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# one\nprice_lat: 10 min", "p.yaml line 2: 'price_lat' is no key; the keys are beta_"),
        ("story: ten days", "p.yaml line 1: story must be a duration like 10 min, 12 h or 3 days"),
        ("story: 14", "line 1: story must be a duration .*, was 14"),
        ("story_us: 14 days", "line 1: story_us must be a whole number of microseconds"),
        ("story: 0 days", "line 1: story_us must be above 0, was 0"),
        ("future: 1 min\nstory: 1 day\nstory_us: 5", "line 3: story_us is set twice, .* line 2"),
        ("levels: [0.05, 0.03]", "line 1: levels must be positive and ascending"),
        ("levels: 0.05", "line 1: levels must be a list of ratios"),
        ("levels: [5%]", "line 1: levels must be a list of ratios"),
        ("horizons: [90 s]", "line 1: horizons must be a list of whole minutes"),
        ("beta_days: true", "line 1: beta_days must be a whole number, was True"),
        ("headline_bytes: 1 GB", "line 1: headline_bytes must be a size"),
        ("delivery: 30 min", "line 1: delivery must be a block of keys .*, was '30 min'"),
        ("delivery:\n  cool: 1 h", r"line 2: 'delivery.cool' is no key; .* delivery.cooldown"),
        ("delivery:\n  cooldown: 1", r"line 2: delivery.cooldown must be a duration .*, was 1"),
        ("delivery:\n  budget: 1\n  budget: 2", r"line 3: delivery.budget is set twice"),
        ("delivery:\n  digest: 0 s", r"line 2: delivery.digest_us must be above 0, was 0"),
        ("delivery:\n  digest: 1 h\n  budget: -1", r"line 3: delivery.budget must be 0 or more"),
        ("delivery:\n  always: new", r"line 2: delivery.always must be a list of kinds"),
        ("delivery:\n  always: [newest]", r"line 2: delivery.always must be of new, confirmed, "),
        ("delivery:\n  always: [retracted]", r"line 2: delivery.always must leave out retracted"),
        ("delivery:\n  always_severity: big", r"delivery.always_severity must be low, .* or none"),
        ("- story", "p.yaml must be keys and values"),
        ("story: 1 day\nlevels: [0.03", "p.yaml line 3 is not YAML|p.yaml line 2 is not YAML"),
        ("story: !!python/name:os.system", "line 1 is not YAML"),
    ],
)
def test_refuses_naming_line_key_and_remedy(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_policy(text, "p.yaml")


def test_refuses_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"story: \xff")

    for name in ("none.yaml", "latin.yaml"):
        with pytest.raises(ConfigError, match=f"{name} cannot be read"):
            load_policy(tmp_path / name)
