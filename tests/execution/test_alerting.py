"""What a person is told of: the table of audit entries, on real entries of the real verbs."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.making import CLIENT, PERSON, World, add_foreign_order
from trading import audit
from trading.domain.client_order_id import client_order_id
from trading.domain.enums import HaltScope, TradingState
from trading.domain.errors import UnknownName
from trading.execution.alerting import NEWS, acknowledge_alert
from trading.execution.breaks import note_break
from trading.execution.drill import TRIGGER
from trading.execution.halts import engage, release
from trading.execution.sweep import LONGEST, run_sweep
from trading.models import Alert, AuditEntry, BreakKind, Sweep
from trading.models.columns import new_id
from trading.queries.alerts import waiting_alerts

ALL = HaltScope.EVERYTHING


def stop(scope: HaltScope = ALL, target: str = "", **more):
    return engage(scope, target, **({"reason": "prices look wrong", "actor": PERSON, "cancel": None} | more))


def told() -> list[tuple[str, str]]:
    return [(alert.event, alert.severity) for alert in Alert.objects.order_by("at", "id")]


def test_a_halt_is_critical_until_its_release_acknowledges_it(world: World):
    stop()
    (alert,) = waiting_alerts()
    assert alert.subject == "Everything is halted" and "prices look wrong" in alert.text
    assert "operator:olga" in alert.text
    release(ALL, reason="checked", actor=PERSON)
    assert not waiting_alerts().exists()
    assert told() == [("halt.engaged", "critical"), ("halt.released", "warning")]


def test_a_release_acknowledges_only_its_own_scope(world: World):
    stop(HaltScope.INSTRUMENT, "BTC/USDT")
    stop(HaltScope.INSTRUMENT, "ETH/USDT")
    release(HaltScope.INSTRUMENT, "BTC/USDT", reason="checked", actor=PERSON)
    assert [alert.subject for alert in waiting_alerts()] == ["Instrument ETH/USDT is halted"]


def test_halting_what_is_halted_reducing_and_drills_are_no_emergency(world: World):
    stop(HaltScope.ACCOUNT, "paper", state=TradingState.REDUCING)
    stop(HaltScope.ACCOUNT, "paper")
    stop(HaltScope.ACCOUNT, "paper")
    stop(HaltScope.INSTRUMENT, "BTC/USDT", trigger=TRIGGER)
    assert [severity for _event, severity in told()] == ["warning", "critical", "warning", "info"]
    keys = list(Alert.objects.order_by("at").values_list("dedupe_key", flat=True))
    assert len(set(keys)) == 4  # none of them is taken for a repeat of another


def test_a_change_that_is_rolled_back_tells_nobody(world: World, monkeypatch):
    monkeypatch.setattr("trading.execution.halts.Sweep.objects.create", lambda **_row: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        stop(cancel="ours")
    assert told() == []


def test_an_entry_without_words_is_told_all_the_same_and_stops_nothing(world: World):
    audit.record("halt.engaged", actor=PERSON, data={"this": "is not what a halt says"})
    (alert,) = Alert.objects.all()
    assert alert.event == "halt.engaged" and "halt.engaged" in alert.subject


def test_a_sweep_that_proves_nothing_is_critical(world: World, monkeypatch):
    monkeypatch.setattr("trading.execution.sweep.LONGEST", LONGEST * 0)
    world.fault("http_status", method="GET", path="/api/v3/openOrders", status=503)
    done = stop(cancel="ours")
    run_sweep(done.sweep_id)
    assert Sweep.objects.get().verdict == "survivors"
    assert ("sweep.survivors", "critical") in told()
    assert "paper" in Alert.objects.get(event="sweep.survivors").text


def test_an_orphan_is_told(world: World):
    add_foreign_order(world, client_order_id=client_order_id("test", new_id()))
    world.sync()
    assert ("order.external", "warning") not in told()
    add_foreign_order(world, client_order_id=client_order_id(_instance(), new_id()))
    world.sync()
    assert ("order.orphan", "critical") in told()


def _instance() -> str:
    from django.conf import settings

    return settings.INSTANCE_ID


def test_a_break_is_told_when_it_opens_and_is_over_when_it_is_resolved(world: World):
    note_break(world.account, BreakKind.BALANCE, "BTC", ours=None, theirs=None)
    note_break(world.account, BreakKind.BALANCE, "BTC", ours=None, theirs=None)
    (alert,) = Alert.objects.filter(event="break.opened")
    assert alert.acknowledged_at is None
    world.sync()
    alert.refresh_from_db()
    assert alert.acknowledged_at is not None and alert.acknowledged_by.startswith("break.resolved")


@pytest.mark.parametrize(("value", "severity"), [(Decimal("0.01"), "warning"), (Decimal(5000), "critical")])
def test_a_break_beyond_its_tolerance_says_so_and_is_critical(world: World, value, severity):
    note_break(world.account, BreakKind.BALANCE, "BTC", ours=None, theirs=None, value=value)
    (alert,) = Alert.objects.filter(event="break.opened")
    assert alert.severity == severity
    assert alert.subject.startswith(
        "Break beyond tolerance" if severity == "critical" else "Break: balance BTC"
    )


def test_a_break_that_grows_beyond_its_tolerance_is_told_once_and_over_with_it(world: World):
    for value in ("0.01", "5000", "6000"):
        note_break(world.account, BreakKind.BALANCE, "BTC", ours=None, theirs=None, value=Decimal(value))
    (alert,) = Alert.objects.filter(event="break.beyond")
    assert (alert.severity, alert.acknowledged_at) == ("critical", None)
    assert "beyond tolerance: balance BTC" in alert.subject
    world.sync()
    assert not waiting_alerts().filter(event__startswith="break").exists()


def test_the_first_who_acknowledges_is_remembered(world: World):
    stop()
    alert = Alert.objects.get()
    acknowledge_alert(alert.id, actor=PERSON)
    acknowledge_alert(alert.id, actor=CLIENT)
    alert.refresh_from_db()
    assert alert.acknowledged_by == "operator:olga"
    assert AuditEntry.objects.filter(kind="alert.acknowledged").count() == 1
    with pytest.raises(UnknownName):
        acknowledge_alert(new_id(), actor=PERSON)


def test_every_row_of_the_table_names_an_entry_that_is_written_somewhere(world: World):
    """A kind that is misspelt in the table would never be told."""
    import pathlib

    import trading

    code = "\n".join(
        p.read_text() for p in pathlib.Path(trading.__path__[0]).rglob("*.py") if p.name != "alerting.py"
    )
    dynamic = ("order.", "sweep.", "approval.", "factor.", "flatten.", "algo.")
    assert [kind for kind in NEWS if f'"{kind}"' not in code and not kind.startswith(dynamic)] == []
