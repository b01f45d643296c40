"""Routes requests to the venues and the control interface, applies ordered faults, and journals every request.

Faults are drawn once, when a request arrives. A fault that answers instead of the venue says by `processed` whether
the venue had done its work first; whatever is answered, the ledger holds what really happened.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Protocol
from urllib.parse import parse_qsl

from simulator.core.faults import MALFORMED_VARIANTS, FaultRule, FaultTable
from simulator.core.journal import RequestJournal
from simulator.garbage import garble
from simulator.http.messages import Arrival, Delivery, HttpAnswer, HttpRequest, json_answer
from simulator.opening import VenueHall
from simulator.streaming.hub import StreamHub
from simulator.wire import VenueReply, VenueWire, ViewFaults

HIDDEN_PARAMETERS = frozenset({"signature", "accesskey", "listenkey"})
DEFAULT_WAIT_SECONDS = {"rate_limit": 5, "ban": 120}
# What answers instead of the venue, and whether the venue has processed the request by then unless told otherwise.
ANSWERING_KINDS = {
    "http_status": False,
    "error_code": False,
    "malformed": True,
    "rate_limit": False,
    "ban": False,
    "maintenance": False,
}


class ControlHandler(Protocol):
    """What the dispatcher needs of the control interface."""

    def respond(self, request: HttpRequest, path: str) -> HttpAnswer: ...


class SimulatorApp:
    def __init__(self, hall: VenueHall, faults: FaultTable, journal: RequestJournal) -> None:
        self.hall, self.faults, self.journal = hall, faults, journal
        self.streams = StreamHub(faults)
        self.in_flight = 0
        self.maintenance_until: dict[str, float] = {}
        self.control: ControlHandler | None = None

    def admit(self, request: HttpRequest) -> Arrival:
        self.in_flight += 1
        prefix, path = _split_path(request.path)
        if not self.hall.has(prefix):
            return Arrival(request)
        rules = self.faults.draw(prefix, request.method, path)
        delay = sum(
            float(rule.parameters["seconds"]) for rule in rules if _holds(rule, "in")
        )  # an event-loop delay, not money
        return Arrival(request, delay, rules)

    def process(self, arrival: Arrival) -> Delivery:
        self.in_flight -= 1
        request = arrival.request
        prefix, path = _split_path(request.path)
        if prefix == "_sim" and self.control is not None:
            return Delivery(self.control.respond(request, path))
        wire = self.hall.find(prefix)
        if wire is None:
            return Delivery(
                json_answer(
                    {
                        "error": f"nothing at {request.path}; venues: {sorted(self.hall.names)}, control: /_sim/"
                    },
                    404,
                )
            )
        kinds = [rule.kind for rule in arrival.faults]
        if "drop_before" in kinds:
            self._note(request, prefix, path, None, kinds, None)
            return Delivery(None)
        wire.venue.advance_ticks()
        answered, cut_after = self._answer(wire, request, prefix, path, arrival.faults)
        is_dropped = "drop_after" in kinds
        self._note(
            request, prefix, path, None if is_dropped else answered.answer.status, kinds, answered.user
        )
        delay = sum(
            float(rule.parameters["seconds"]) for rule in arrival.faults if _holds(rule, "out")
        )  # as above
        if answered.offer is not None and not is_dropped:
            session = self.streams.connect(prefix, answered.offer, request.connection)
            return Delivery(answered.answer, delay, session=session)
        return Delivery(None if is_dropped else answered.answer, delay, cut_after)

    # -- answers ---------------------------------------------------------------------------------------------------

    def _answer(
        self, wire: VenueWire, request: HttpRequest, prefix: str, path: str, rules: list[FaultRule]
    ) -> tuple[VenueReply, int | None]:
        banned_for = wire.is_banned(request)
        if banned_for:
            return VenueReply(wire.ban_answer(banned_for)), None
        if self.maintenance_until.get(prefix, 0) > request.arrived_monotonic:
            return VenueReply(wire.maintenance_answer()), None
        instead = next((rule for rule in rules if rule.kind in ANSWERING_KINDS), None)
        if instead is None:
            reply = wire.respond(request, path, view_of(rules, wire.usual_rejection))
            if reply.offer is not None and self.streams.is_refused(prefix, reply.user or ""):
                return VenueReply(wire.maintenance_answer(), reply.user), None
            return reply, None
        is_processed = instead.parameters.get("processed", ANSWERING_KINDS[instead.kind])
        honest = (
            wire.respond(request, path, view_of(rules, wire.usual_rejection))
            if is_processed
            else VenueReply(json_answer({}))
        )
        answer, cut_after = self._false_answer(wire, request, prefix, instead, honest.answer)
        return VenueReply(answer, honest.user), cut_after

    def _false_answer(
        self, wire: VenueWire, request: HttpRequest, prefix: str, rule: FaultRule, honest: HttpAnswer
    ) -> tuple[HttpAnswer, int | None]:
        given = rule.parameters
        if rule.kind == "http_status":
            body = given.get("body")
            status = int(given["status"])
            return (
                HttpAnswer(status, body.encode(), "text/html")
                if body is not None
                else wire.error(status, status, "simulated fault")
            ), None
        if rule.kind == "error_code":
            return wire.error(int(given["status"]), int(given["code"]), given["msg"]), None
        if rule.kind == "malformed":
            if "body" in given:
                return HttpAnswer(200, given["body"].encode()), None
            return garble(given.get("variant") or self.faults.choose(MALFORMED_VARIANTS[:4]), honest)
        if rule.kind == "maintenance":
            self.maintenance_until[prefix] = request.arrived_monotonic + float(
                given.get("seconds", 0)
            )  # a time span, not money
            return wire.maintenance_answer(), None
        seconds = int(given.get("retry_after", DEFAULT_WAIT_SECONDS[rule.kind]))
        if rule.kind == "ban":
            wire.ban(request, seconds)
            return wire.ban_answer(seconds), None
        return wire.limit_answer(seconds), None

    # -- journal ---------------------------------------------------------------------------------------------------

    def _note(
        self,
        request: HttpRequest,
        prefix: str,
        path: str,
        status: int | None,
        kinds: list[str],
        user: str | None,
    ) -> None:
        entry: dict[str, object] = {
            "at": {"monotonic": request.arrived_monotonic, "wall": _as_utc(request.arrived_wall_ms)},
            "venue": prefix,
            "method": request.method,
            "path": path,
            "params": _shown_parameters(request),
            "status": status,
            "user": user,
            "connection": request.connection,
        }
        if kinds:
            entry["fault"] = ",".join(kinds)
        self.journal.append(entry)

    def clear(self) -> None:
        self.streams.clear()
        self.faults.restart()
        self.journal.clear()
        self.maintenance_until.clear()


def view_of(rules: list[FaultRule], usual_rejection: tuple[int, str]) -> ViewFaults:
    view = ViewFaults()
    for rule in rules:
        given = rule.parameters
        if rule.kind == "clock_skew":
            view.skew_ms += int(given["ms"])
        elif rule.kind == "not_found":
            view.hide_orders_seconds = Decimal(str(given["seconds"]))
        elif rule.kind == "delayed_fill":
            view.hide_fills_seconds = Decimal(str(given["seconds"]))
        elif rule.kind == "duplicate_fill":
            view.repeats_fills = True
        elif rule.kind == "out_of_order":
            view.reverses_fills = True
        elif rule.kind == "reject":
            code, message = usual_rejection
            view.reject = (int(given.get("code", code)), str(given.get("msg", message)))
    return view


def _holds(rule: FaultRule, where: str) -> bool:
    return rule.kind == "latency" and rule.parameters.get("where", "out") == where


def _split_path(path: str) -> tuple[str, str]:
    prefix, slash, rest = path.removeprefix("/").partition("/")
    return prefix, slash + rest


def _shown_parameters(request: HttpRequest) -> dict[str, str]:
    pairs = parse_qsl(request.query, keep_blank_values=True)
    if request.body.lstrip().startswith(b"{"):
        pairs += _shown_members(request)
    elif request.body and not request.body.lstrip().startswith(b"["):
        pairs += parse_qsl(request.body.decode("latin-1"), keep_blank_values=True)
    return {name[:64]: content[:512] for name, content in pairs if name.lower() not in HIDDEN_PARAMETERS}


def _shown_members(request: HttpRequest) -> list[tuple[str, str]]:
    try:
        document = request.json_body()
    except ValueError:
        return []
    return [(name, str(content)) for name, content in document.items()]


def _as_utc(wall_ms: int) -> str:
    return datetime.fromtimestamp(wall_ms / 1000, UTC).isoformat(timespec="milliseconds")
