"""STOP and its page: one step, by POST, latched; a release needs the right, a reason and an unchanged state."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from tests.admin.trading_day import halt
from trading.models import (
    AuditEntry,
    ControlEpoch,
    Flattening,
    HaltChange,
    HaltState,
    Heartbeat,
    Order,
    Position,
    Sweep,
)
from trading.queries.halts import current_epoch
from trading.sealed_file import key_path
from trading.stop_flag import raise_stop_flag

PAGE = "admin:trading_haltstate_changelist"


def post(client, page: str, **given: object):
    return client.post(reverse(f"admin:trading_haltstate_{page}"), given, follow=True)


def state(scope: str = "everything", target: str = "") -> str:
    return HaltState.objects.get(scope=scope, target=target).state


def text_of(answer) -> str:
    return " ".join(answer.content.decode().split())


@pytest.mark.parametrize("role", ["trader", "risk", "admin"])
def test_stop_halts_everything_in_one_post_without_any_field(day, browse, people, role):
    before = ControlEpoch.objects.get().epoch
    page = text_of(post(browse(role), "stop"))
    assert state() == "halted"
    change = HaltChange.objects.first()
    assert change.actor == f"operator:{people[role].username}" and change.trigger == "manual"
    assert change.reason == "STOP pressed in the panel"
    assert f"epoch {before + 1}" in page and "the gate is closed in every process" in page
    assert Sweep.objects.filter(change=change, cancel_scope="ours").exists()
    assert settings.STOP_FLAG.exists()


def test_stop_works_with_the_token_that_the_strip_carries(day, browse):
    client = browse("trader", csrf=True)
    page = client.get(reverse("admin:index")).content.decode()
    token = page.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    answer = client.post(reverse("admin:trading_haltstate_stop"), {"csrfmiddlewaretoken": token})
    assert answer.status_code == 302 and state() == "halted"


def test_a_quick_reason_is_recorded(day, browse):
    post(browse("trader"), "stop", reason="Wrong prices")
    assert HaltChange.objects.first().reason == "Wrong prices"
    assert AuditEntry.objects.filter(kind="halt.engaged", data__reason="Wrong prices").count() == 1


def test_stopping_twice_sweeps_again_and_is_harmless(day, browse):
    client = browse("trader")
    sweeps = Sweep.objects.count()
    post(client, "stop")
    post(client, "stop")
    assert state() == "halted" and Sweep.objects.count() == sweeps + 2


def test_a_viewer_cannot_stop(day, browse):
    assert post(browse("viewer"), "stop").status_code == 403
    assert state() == "active" and not settings.STOP_FLAG.exists()


def test_one_symbol_can_be_halted_alone(day, browse):
    post(
        browse("risk"),
        "engage",
        scope="instrument",
        target="ETH/USDT",
        state="halted",
        cancel="ours",
        reason="odd",
    )
    assert state("instrument", "ETH/USDT") == "halted"
    assert state() == "active"


def test_reducing_leaves_open_orders_alone(day, browse):
    sweeps = Sweep.objects.count()
    post(browse("risk"), "engage", scope="everything", state="reducing", cancel="")
    assert state() == "reducing" and Sweep.objects.count() == sweeps


def test_engaging_never_loosens_a_halt(day, browse):
    client = browse("trader")
    post(client, "stop")
    epoch = ControlEpoch.objects.get().epoch
    page = text_of(post(client, "engage", scope="everything", state="reducing", cancel=""))
    assert "reducing would allow more" in page
    assert state() == "halted" and ControlEpoch.objects.get().epoch == epoch
    assert 'value="reducing">Reduce only' not in page.split("lv-span-7")[0]


def test_an_unknown_target_is_refused_in_words(day, browse):
    page = text_of(post(browse("risk"), "engage", scope="instrument", target="NO/PE", state="halted"))
    assert "There is no instrument &#x27;NO/PE&#x27; to halt." in page
    assert HaltState.objects.filter(state="halted").count() == 0


def test_a_release_needs_a_reason(day, browse):
    halt()
    page = text_of(post(browse("risk"), "release", scope="everything", seen_epoch=1, reason="  "))
    assert "Say why it is safe to trade again." in page
    assert state() == "halted"


def test_a_release_with_a_reason_activates_and_is_recorded(day, browse):
    client = browse("risk")
    post(client, "stop")
    epoch = ControlEpoch.objects.get().epoch
    page = text_of(post(client, "release", scope="everything", seen_epoch=epoch, reason="checked the books"))
    assert "is active again" in page and state() == "active"
    assert not settings.STOP_FLAG.exists()
    assert AuditEntry.objects.filter(kind="halt.released", actor="operator:risk-person").count() == 1


def test_a_halt_that_came_after_the_page_was_shown_is_not_released(day, browse):
    client = browse("risk")
    post(client, "stop")
    seen = ControlEpoch.objects.get().epoch
    post(client, "stop", reason="again")
    page = text_of(post(client, "release", scope="everything", seen_epoch=seen, reason="old news"))
    assert "Another halt was engaged since this page was shown." in page
    assert state() == "halted"


def test_a_trader_may_halt_but_not_release(day, browse):
    client = browse("trader")
    post(client, "stop")
    assert post(client, "release", scope="everything", seen_epoch=2, reason="please").status_code == 403
    assert state() == "halted"
    page = text_of(client.get(reverse(PAGE)))
    assert "Missing for a release: the role <strong>risk</strong>" in page


def test_the_page_shows_scopes_sweep_and_history(day, browse):
    halt("strategy", "mean-reversion", state="reducing", reason="too many orders")
    page = text_of(browse("viewer").get(reverse(PAGE)))
    for words in (
        "BTC/USDT",
        "mean-reversion",
        "too many orders",
        "CLEAN: proven empty",
        "Venue trouble",
        "7 sent in 3 rounds",
    ):
        assert words in page, words
    assert "Halt everything" not in page, "a viewer gets no button"


def test_survivors_of_a_sweep_are_named(day, browse):
    Sweep.objects.update(
        verdict="survivors",
        report={"paper": {"open": ["lvtestabc"], "unresolved": [], "unasked": "no answer"}},
    )
    page = text_of(browse("risk").get(reverse(PAGE)))
    assert "open: lvtestabc" in page and "could not be asked: no answer" in page


def test_a_scope_without_a_state_is_shown_as_halted(day, browse):
    HaltState.objects.filter(scope="account").delete()
    assert "no state stored" in text_of(browse("risk").get(reverse(PAGE)))


def test_canceling_everything_of_ours_leaves_trading_on(day, browse):
    resting = Order.objects.get(pk=day.orders["open"].pk)
    answer = post(browse("trader"), "cancel_all")
    resting.refresh_from_db()
    assert resting.cancel_state == "requested" and state() == "active"
    assert "Trading goes on." in text_of(answer)


def test_the_page_says_whether_the_dead_man_watches_and_when_the_last_drill_was(day, browse):
    client, address = browse("viewer"), reverse(PAGE)
    unwatched = text_of(client.get(address))
    assert "Dead man: <strong>not armed</strong>" in unwatched and "Drill: none yet" in unwatched
    now = timezone.now()
    Heartbeat.objects.create(process="dead_man s", role="dead_man", build="b", started_at=now, beat_at=now)
    assert "<strong>armed</strong>, halts after 120 s of silence" in client.get(address).content.decode()


def test_a_raised_stop_flag_shows_as_a_halt_with_its_reason_and_is_released_here(day, browse):
    raise_stop_flag(settings.STOP_FLAG, "break glass: the rack burns", "command:root")
    client = browse("risk")
    page = text_of(client.get(reverse(PAGE)))
    assert "break glass: the rack burns" in page and "(stop_flag)" in page
    post(client, "release", scope="everything", target="", seen_epoch=current_epoch(), reason="it is out")
    assert not settings.STOP_FLAG.exists() and state() == "active"


def test_a_halt_can_close_the_positions_and_shows_what_is_left(day, browse):
    page = browse("risk").post(
        reverse("admin:trading_haltstate_engage"),
        {
            "scope": "account",
            "target": "paper",
            "state": "halted",
            "cancel": "ours",
            "flatten": "on",
            "reason": "out",
        },
        follow=True,
    )
    row = Flattening.objects.get()
    assert (row.account, row.symbol, row.reason, row.state) == ("paper", "", "out", "running")
    assert row.sweep.change.scope == "account"
    assert "The positions are being closed" in page.content.decode()
    Flattening.objects.filter(pk=row.pk).update(
        report={
            "paper BTC/USDT": {"state": "dust", "left": "0.00001", "why": "less than one lot", "orders": []}
        }
    )
    page = browse("viewer").get(reverse("admin:trading_haltstate_changelist")).content.decode()
    assert "0.00001 left" in page and "less than one lot" in page and "Venue empty" in page


def test_who_may_not_close_positions_halts_all_the_same(day, browse):
    page = (
        browse("trader")
        .post(
            reverse("admin:trading_haltstate_engage"),
            {"scope": "everything", "state": "halted", "cancel": "ours", "flatten": "on"},
            follow=True,
        )
        .content.decode()
    )
    assert HaltState.objects.get(scope="everything").state == "halted"
    assert "needs the role risk" in page and not Flattening.objects.exists()


def test_one_position_is_closed_from_its_page(day, browse):
    position = Position.objects.exclude(quantity=0).first()
    url = reverse("admin:trading_position_change", args=[position.pk])
    assert "Close the position" in browse("risk").get(url).content.decode()
    assert "Close the position" not in browse("trader").get(url).content.decode()
    act = reverse("admin:trading_position_flatten", args=[position.pk])
    assert browse("trader").post(act, {"reason": "x"}).status_code == 403
    refused = browse("risk").post(act, {"reason": "", "quantity": "-1"}, follow=True)
    assert not Flattening.objects.exists() and refused.status_code == 200
    browse("risk").post(act, {"reason": "out", "quantity": ""})
    row = Flattening.objects.get()
    assert (row.account, row.symbol, row.quantity) == (
        position.account.name,
        position.instrument.symbol,
        None,
    )


def test_the_page_says_whether_break_glass_knows_every_key(day, browse, settings, tmp_path):
    settings.HOME_DIR = tmp_path
    client = browse("viewer")
    page = text_of(client.get(reverse(PAGE)))
    assert "key file out of date" in page and "break_glass --prepare" in page
    key_path(tmp_path).parent.mkdir()
    key_path(tmp_path).write_text(f'{{"written_at": "{timezone.now().isoformat()}"}}')
    page = text_of(client.get(reverse(PAGE)))
    assert "knows every key" in page and "out of date" not in page
