"""Routes of /_sim/ to readers and changers; every refusal is a 400 with {"error": …} and changes nothing.

The interface has no authentication: the simulated venue holds no real money and belongs on a loopback address.
"""

from __future__ import annotations

from collections.abc import Callable

from simulator.control.changes import ControlChanges
from simulator.control.reading import ControlRefused
from simulator.control.views import ControlViews
from simulator.core.accounts import AccountOverdrawn
from simulator.core.faults import FaultRefused
from simulator.core.refusals import SimRefusal
from simulator.core.settings import SettingRefused
from simulator.dispatch import SimulatorApp
from simulator.http.messages import HttpAnswer, HttpRequest, json_answer

Handler = Callable[[HttpRequest], object]


class ControlInterface:
    def __init__(self, app: SimulatorApp) -> None:
        views, changes = ControlViews(app), ControlChanges(app)
        self._routes: dict[tuple[str, str], Handler] = {
            ("GET", "/health"): views.show_health,
            ("GET", "/orders"): views.list_orders,
            ("GET", "/fills"): views.list_fills,
            ("GET", "/balances"): views.list_balances,
            ("GET", "/requests"): views.list_requests,
            ("GET", "/streams"): views.list_streams,
            ("GET", "/faults"): views.list_faults,
            ("GET", "/prices"): views.list_prices,
            ("GET", "/users"): views.list_users,
            ("GET", "/settings"): views.show_settings,
            ("GET", "/check"): views.check_books,
            ("POST", "/faults"): changes.set_faults,
            ("DELETE", "/faults"): changes.clear_faults,
            ("POST", "/prices"): changes.set_price,
            ("POST", "/fills"): changes.force_fill,
            ("POST", "/balances"): changes.change_balance,
            ("POST", "/users"): changes.add_user,
            ("POST", "/instruments"): changes.change_listing,
            ("POST", "/settings"): changes.change_settings,
            ("POST", "/ticks"): changes.advance_ticks,
            ("POST", "/reset"): changes.reset,
        }

    def respond(self, request: HttpRequest, path: str) -> HttpAnswer:
        handler = self._routes.get((request.method, path.rstrip("/")))
        if handler is None:
            known = ", ".join(f"{method} /_sim{route}" for method, route in self._routes)
            return json_answer(
                {"error": f"no control endpoint {request.method} {request.path}; known: {known}"}, 404
            )
        try:
            return json_answer(handler(request))
        except (ControlRefused, FaultRefused, SettingRefused) as refused:
            return json_answer({"error": str(refused)}, 400)
        except SimRefusal as refused:
            return json_answer({"error": f"the venue refuses: {refused}"}, 400)
        except AccountOverdrawn as refused:
            return json_answer({"error": f"the balance would go negative: {refused}"}, 400)
