"""A new operator's first hour, from the invitation to the copy of the order history, with the product as it is served.

The workers are the test: it takes a worker's step (send, follow, sweep, write the export) and the browser must see what
came of it by itself. The release happens on a second server of the same database, whose mode is production.
"""

from __future__ import annotations

import csv
from urllib.parse import urlsplit

from django.contrib.auth.models import Group, User

from tests.authenticators import Authenticator
from tests.e2e.conftest import PHONE, Visit
from tests.e2e.test_door import confirm
from tests.worlds import World
from trading.execution.dispatch import dispatch_order
from trading.execution.exports import run_exports
from trading.execution.following import follow_order
from trading.execution.sweep import run_sweep
from trading.models import ApprovalRequest, HaltState, Order, Sweep

WORDS = "a long and quiet evening"
LIVE = "#lv-link[data-state=live]"
SEEN_IN_TRAIL = ("halt.released", "halt.engaged", "order.filled", "factor.enrolled")


def test_a_new_operators_first_hour(live_world, people, settings, visit, newly_served, live_server):
    with visit(people["admin"], base=newly_served) as admin:
        link = invite_in_the_panel(admin, "nora", ("trader", "risk"))
    with visit(base=newly_served) as nora:
        join(nora, link)
        phone = enrol(nora)
        see_the_state(nora)
        order = dry_run_and_place(nora, live_world)
        watch_the_fill(nora, order)
        have_a_denial_explained(nora, live_world)
        halt_and_watch_the_sweep(nora, live_world)
    settings.LEVI_MODE = "production"
    release_with_a_second_person(visit, live_server.url, phone)
    settings.LEVI_MODE = "paper"
    with visit(User.objects.get(username="nora"), base=newly_served) as nora:
        nora.open("/admin/")
        confirm(nora, User.objects.get(username="nora"), phone)
        read_and_verify_the_trail(nora)
        export_the_history(nora, order)


def invite_in_the_panel(tab: Visit, name: str, roles: tuple[str, ...]) -> str:
    tab.open("/admin/trading/invitation/add/")
    tab.page.fill("#id_username", name)
    for role in roles:
        tab.page.check(f"[name=roles][value={role}]")
    tab.page.click("button:has-text('Make the link')")
    return urlsplit(tab.sees("#link").inner_text().strip()).path


def join(tab: Visit, link: str) -> None:
    tab.open(link)
    tab.page.fill("#id_password", WORDS)
    tab.page.fill("#id_again", WORDS)
    tab.page.click("button:has-text('Join')")
    tab.sees("#id_username")
    tab.page.fill("#id_username", "nora")
    tab.page.fill("#id_password", WORDS)
    tab.page.click("button[type=submit]")
    tab.sees("#lv-strip >> text=PAPER")


def enrol(tab: Visit) -> Authenticator:
    tab.open("/admin/trading/secondfactor/enrol/")
    tab.page.click("button:has-text('Show my key')")
    phone = Authenticator(tab.sees("#key").inner_text().replace(" ", ""))
    tab.page.fill("#id_code", phone.code())
    tab.page.click("button:has-text('Put it into force')")
    phone.recovery_codes = tab.sees("#codes").inner_text().split()
    assert len(set(phone.recovery_codes)) == 10
    tab.page.click("text=I have kept them")
    return phone


def see_the_state(tab: Visit) -> None:
    tab.sees("text=Exposure against its limits")
    tab.sees("#lv-strip >> text=ACTIVE")
    tab.sees(LIVE)
    tab.shoot("hour-1-state")


def fill_in(tab: Visit, **given: str) -> None:
    tab.open("/admin/trading/order/new/")
    for name, value in given.items():
        tab.page.fill(f"[name={name}]", value)
    tab.page.click("button:has-text('Check')")


def dry_run_and_place(tab: Visit, world: World) -> Order:
    fill_in(tab, symbol="BTC/USDT", quantity="0.0100009", price="50500")
    tab.sees("#verdict >> text=Would be sent")
    tab.sees("#verdict >> text=rounded from 0.0100009")
    assert not Order.objects.exists() and world.placements() == []
    tab.page.check("[name=confirmed]")
    tab.shoot("hour-2-checked")
    tab.page.click("button:has-text('Place: BUY 0.01 BTC/USDT')")
    tab.sees(".lv-head >> text=approved")
    return Order.objects.get()


def watch_the_fill(tab: Visit, order: Order) -> None:
    tab.sees(LIVE)
    dispatch_order(order.pk)
    assert follow_order(order.pk)
    tab.sees(".lv-head >> text=filled")
    tab.sees("#content >> text=order.filled")
    tab.shoot("hour-3-filled")


def have_a_denial_explained(tab: Visit, world: World) -> None:
    world.change_limits(max_order_notional="100")
    sent = len(world.placements())
    fill_in(tab, symbol="BTC/USDT", quantity="0.5", price="50000")
    tab.sees("#verdict >> text=Would be denied")
    tab.sees("text=The order is worth more than one order may be.")
    denied = world.submit("0.5", price="50000")
    tab.open(f"/admin/trading/order/{denied.pk}/change/")
    tab.sees(".lv-head >> text=denied")
    tab.sees("text=The order is worth more than one order may be.")
    tab.shoot("hour-4-denied")
    assert len(world.placements()) == sent
    world.change_limits(max_order_notional="1000000")


def halt_and_watch_the_sweep(tab: Visit, world: World) -> None:
    resting = world.rest()
    tab.open("/admin/trading/haltstate/")
    tab.sees(LIVE)
    tab.page.click("button.lv-stop")
    tab.sees("#lv-strip >> text=HALTED")
    tab.sees("#lv-strip >> text=1 open")
    tab.sees(LIVE)
    run_sweep(Sweep.objects.get().pk)
    tab.sees("text=CLEAN: proven empty")
    tab.sees("#sweeps >> text=clean")
    tab.shoot("hour-5-swept")
    resting.refresh_from_db()
    assert resting.status == "canceled"


def release_with_a_second_person(visit, base: str, phone: Authenticator) -> None:
    ben = User.objects.create(username="ben", is_staff=True)
    ben.groups.add(Group.objects.get(name="risk"))
    nora, other_phone = User.objects.get(username="nora"), Authenticator.of(ben)
    with visit(nora, base=base) as one, visit(ben, base=base, size=PHONE, theme="dark") as other:
        for tab, user, own in ((one, nora, phone), (other, ben, other_phone)):
            tab.open("/admin/")
            confirm(tab, user, own)
        one.open("/admin/trading/haltstate/")
        one.page.fill("#release-reason", "books agree, cause found")
        one.page.click("button:has-text('Release everything')")
        one.sees("text=stays halted until a second person")
        assert HaltState.objects.get(scope="everything").state == "halted"
        other.open(f"/admin/trading/approvalrequest/{ApprovalRequest.objects.get().pk}/change/")
        other.sees("text=books agree, cause found")
        other.page.click("button:has-text('Approve and do it')")
        other.sees("text=Approved and done")
        one.sees("#lv-strip >> text=ACTIVE")
    assert HaltState.objects.get(scope="everything").state == "active"


def read_and_verify_the_trail(tab: Visit) -> None:
    tab.open("/admin/trading/auditentry/")
    for kind in SEEN_IN_TRAIL:
        tab.sees(f"#result_list >> text={kind}")
    tab.page.click("button:has-text('Verify the whole trail')")
    tab.sees("text=/Intact: \\d+ entries in \\d+ chains/")
    tab.shoot("hour-6-verified")


def export_the_history(tab: Visit, order: Order) -> None:
    tab.open("/admin/trading/order/")
    tab.page.click(".lv-export button:has-text('CSV')")
    tab.sees("text=The export is being written")
    run_exports()
    tab.sees("a:has-text('Download')")
    tab.shoot("hour-7-exported")
    with tab.page.expect_download() as got:
        tab.page.click("a:has-text('Download')")
    rows = list(csv.DictReader(got.value.path().read_text().splitlines()))
    order.refresh_from_db()
    assert [row["status"] for row in rows] == ["filled", "denied", "canceled"]
    assert (rows[0]["client_order_id"], rows[0]["actor"]) == (order.client_order_id, "operator:nora")
