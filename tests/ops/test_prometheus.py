"""The alert rules load, fire when they should, stay silent when not, and lead to a runbook section."""

from __future__ import annotations

import re

import pytest
import yaml

from tests.docs.markdown import list_anchors
from tests.ops.metric_names import REPO
from tests.ops.promtool import run_promtool

FOLDER = REPO / "ops" / "prometheus"
RULES = FOLDER / "rules" / "levi.yml"
DURATION = re.compile(r"\d+(s|m|h|d)")
NEEDED = {
    "LeviKillSwitchEngaged", "LeviHaltForgotten", "LeviOrdersInDoubt", "LeviHeartbeatLost", "LeviBreaksOpen",
    "LeviLimitUtilisation50", "LeviLimitUtilisation75", "LeviLimitUtilisation90", "LeviDailyLossNearLimit",
    "LeviVenueErrors", "LeviOrderLatencyHigh", "LeviSyncStale", "LeviScrapeDown",
    "LeviTriggersNotEvaluated", "LeviTriggerSilent",
    "LeviDeadManUnarmed", "LeviDrillOverdue",
}  # fmt: skip


def read_rules() -> list[dict]:
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_every_situation_an_operator_must_hear_of_has_an_alert():
    names = [rule["alert"] for rule in read_rules()]
    assert set(names) >= NEEDED
    assert len(names) == len(set(names))


@pytest.mark.parametrize("rule", read_rules(), ids=lambda rule: rule["alert"])
def test_an_alert_says_what_is_seen_what_it_means_for_money_and_what_to_do(rule):
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert rule["labels"]["severity"] in {"info", "warning", "critical"}
    assert DURATION.fullmatch(rule.get("for", "0s"))
    assert set(rule["annotations"]) == {"summary", "money", "runbook"}
    path, anchor = rule["annotations"]["runbook"].split("#")
    assert anchor in list_anchors(REPO / path)


def test_the_scrape_reads_the_panel_and_loads_the_rules():
    config = yaml.safe_load((FOLDER / "prometheus.yml").read_text(encoding="utf-8"))
    jobs = {job["job_name"]: job for job in config["scrape_configs"]}
    assert jobs["levi"]["metrics_path"] == "/metrics"
    for pattern in (*config["rule_files"], *jobs["levi"]["file_sd_configs"][0]["files"]):
        assert list(FOLDER.glob(pattern)), pattern


def test_promtool_accepts_the_configuration():
    assert "FAILED" not in run_promtool("check", "config", FOLDER / "prometheus.yml")


def test_every_alert_fires_when_it_should_and_is_silent_when_not():
    assert "SUCCESS" in run_promtool("test", "rules", FOLDER / "tests" / "levi_test.yml")
