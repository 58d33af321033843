from prometheus_client import CollectorRegistry

from streams.metrics import Metrics, show_build

NAMES = {
    "tapewire_records_in": ("topic",),
    "tapewire_records_out": ("topic",),
    "tapewire_dead_letters": ("topic", "reason"),
    "tapewire_stage_seconds": ("agent",),
    "tapewire_end_to_end_seconds": ("agent",),
    "tapewire_batch_records": ("agent",),
    "tapewire_lag_records": ("topic",),
    "tapewire_skipped": ("agent",),
    "tapewire_state_rows": ("agent",),
    "tapewire_recovery_seconds": (),
    "tapewire_alerts": ("kind", "severity"),
    "tapewire_events": ("type",),
}


def test_names_and_labels_are_those_that_the_dashboard_asks_for():
    metrics = Metrics(CollectorRegistry())
    fields = [value for value in vars(metrics).values() if hasattr(value, "_labelnames")]
    assert {field._name: tuple(field._labelnames) for field in fields} == NAMES


def test_the_build_is_named():
    registry = CollectorRegistry()
    show_build(registry, version="0.1.0", rules="r1")
    labels = {"version": "0.1.0", "rules": "r1"}
    assert registry.get_sample_value("tapewire_build_info", labels) == 1


def test_help_is_a_sentence():
    for family in Metrics(CollectorRegistry()).registry.collect():
        assert family.documentation.endswith(".")
        assert family.documentation[0].isupper()
