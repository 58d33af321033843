"""What is handed to operators fits together: compose, image, Prometheus, Grafana."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"


def _read(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def _services() -> dict[str, Any]:
    services: dict[str, Any] = _read("docker-compose.yml")["services"]
    return services


def _run(*command: str, cwd: Path = ROOT) -> str:
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_compose_accepts_the_file(debian_tool: Callable[[str], str]) -> None:
    resolved = yaml.safe_load(_run(debian_tool("docker-compose"), "config"))

    assert set(resolved["services"]) == {"kafka", "topics", "worker", "prometheus", "grafana"}


def test_every_port_is_on_loopback() -> None:
    ports = [port for service in _services().values() for port in service.get("ports", ())]

    assert len(ports) == 4
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_every_image_has_a_version() -> None:
    pulled = [service["image"] for service in _services().values() if "build" not in service]

    assert [image for image in pulled if not re.search(r":v?\d+\.\d+\.\d+$", image)] == []


def test_what_compose_mounts_is_there() -> None:
    mounts = [
        mount.split(":")[0]
        for service in _services().values()
        for mount in service.get("volumes", ())
        if mount.startswith("./")
    ]

    assert mounts
    assert [mount for mount in mounts if not (ROOT / mount).is_dir()] == []


def test_the_image_holds_what_a_build_needs(tmp_path: Path) -> None:
    """Build the wheel from the files alone that the image's build stage copies."""
    for line in (DEPLOY / "Dockerfile").read_text(encoding="utf-8").splitlines():
        words = line.split()
        if words[:1] != ["COPY"] or words[1].startswith("--"):
            continue
        for source in words[1:-1]:
            place = tmp_path / source if (ROOT / source).is_dir() else tmp_path / words[-1]
            copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
            copy(ROOT / source, place)

    _run(sys.executable, "-m", "build", "--wheel", "--no-isolation", cwd=tmp_path)

    assert len(list((tmp_path / "dist").glob("tapewire-*.whl"))) == 1


def test_prometheus_accepts_our_configuration_and_rules(debian_tool: Callable[[str], str]) -> None:
    said = _run(debian_tool("promtool"), "check", "config", "deploy/prometheus/prometheus.yml")

    assert "SUCCESS: 1 rule files found" in said
    _run(debian_tool("promtool"), "check", "rules", "deploy/prometheus/alerts.yml")


def test_alert_rules_fire_on_trouble_alone(
    debian_tool: Callable[[str], str], tmp_path: Path
) -> None:
    shutil.copy(DEPLOY / "prometheus" / "alerts.yml", tmp_path)
    shutil.copy(ROOT / "tests" / "deploy" / "alerts_test.yml", tmp_path)

    _run(debian_tool("promtool"), "test", "rules", "alerts_test.yml", cwd=tmp_path)


def test_every_alert_rule_says_what_to_do() -> None:
    running = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
    anchors = {
        re.sub(r"[^\w\s-]", "", title.lower()).strip().replace(" ", "-")
        for title in re.findall(r"^#+ (.+)$", running, re.MULTILINE)
    }
    (group,) = _read("deploy/prometheus/alerts.yml")["groups"]

    for rule in group["rules"]:
        page, anchor = rule["annotations"]["runbook"].split("#")
        assert page == "docs/running.md"
        assert anchor in anchors, rule["alert"]
        assert rule["annotations"]["description"].endswith(".")
    assert len(group["rules"]) >= 5


def test_grafana_finds_its_one_dashboard_and_its_source() -> None:
    (dashboard,) = (DEPLOY / "grafana" / "dashboards").glob("*.json")
    (source,) = _read("deploy/grafana/provisioning/datasources/prometheus.yaml")["datasources"]
    (provider,) = _read("deploy/grafana/provisioning/dashboards/tapewire.yaml")["providers"]
    mounts = dict(mount.split(":")[:2] for mount in _services()["grafana"]["volumes"])

    assert mounts["./deploy/grafana/dashboards"] == provider["options"]["path"]
    board = json.loads(dashboard.read_text(encoding="utf-8"))
    used = {panel["datasource"]["uid"] for panel in board["panels"] if panel["type"] != "row"}
    assert used == {source["uid"]}


def test_panels_are_named_in_english_and_korean() -> None:
    text = (DEPLOY / "grafana" / "dashboards" / "tapewire.json").read_text(encoding="utf-8")

    for panel in json.loads(text)["panels"]:
        english, _, korean = panel["title"].partition(" / ")
        assert re.search(r"[A-Za-z]", english)
        assert re.search(r"[가-힣]", korean)
        if panel["type"] != "row":
            first, _, second = panel["description"].partition("\n\n")
            assert first.endswith(".")
            assert re.search(r"[가-힣]", second)
