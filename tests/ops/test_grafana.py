"""The dashboard shows what operators were promised, through the datasource that is provisioned."""

from __future__ import annotations

import json

import pytest
import yaml

from tests.ops.metric_names import REPO
from tests.ops.promtool import run_promtool

FOLDER = REPO / "ops" / "grafana"
PROMISED = {
    "Orders Rate": ("levi_orders_total", "status"),
    "Kill Switch History": ("levi_kill_switch", "reason"),
    "Position Exposure": ("levi_position_notional", "symbol"),
}


def read_dashboard() -> dict:
    return json.loads((FOLDER / "dashboards" / "levi.json").read_text(encoding="utf-8"))


def read_panels() -> list[dict]:
    return [panel for panel in read_dashboard()["panels"] if panel["type"] != "row"]


def read_expressions() -> list[str]:
    marks = [mark["expr"] for mark in read_dashboard()["annotations"]["list"]]
    return marks + [target["expr"] for panel in read_panels() for target in panel["targets"]]


@pytest.mark.parametrize("title", PROMISED)
def test_the_promised_panels_are_there(title):
    series, label = PROMISED[title]
    (panel,) = [panel for panel in read_panels() if panel["title"] == title]
    assert f"by ({label})" in panel["targets"][0]["expr"]
    assert series in panel["targets"][0]["expr"]


def test_the_dashboard_and_its_datasource_know_each_other():
    sources = yaml.safe_load((FOLDER / "provisioning" / "datasources" / "prometheus.yml").read_text())
    uids = {source["uid"] for source in sources["datasources"]}
    used = {target["datasource"]["uid"] for panel in read_panels() for target in panel["targets"]}
    assert used <= uids
    provider = yaml.safe_load((FOLDER / "provisioning" / "dashboards" / "levi.yml").read_text())
    compose = (REPO / "ops" / "docker-compose.yml").read_text()
    assert f"./grafana/dashboards:{provider['providers'][0]['options']['path']}:ro" in compose


def test_panels_have_ids_of_their_own_explain_themselves_and_do_not_overlap():
    panels = read_dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert all(panel["description"] for panel in read_panels())
    cells = [
        (x, y)
        for grid in (panel["gridPos"] for panel in panels)
        for x in range(grid["x"], grid["x"] + grid["w"])
        for y in range(grid["y"], grid["y"] + grid["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _y in cells) < 24


def test_promtool_can_read_every_expression(tmp_path):
    rules = [
        {"record": f"panel:{number}", "expr": expression.replace("$__rate_interval", "1m")}
        for number, expression in enumerate(read_expressions())
    ]
    file = tmp_path / "panels.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    assert "SUCCESS" in run_promtool("check", "rules", file)
