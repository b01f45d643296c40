"""The process that listens to the private streams of all accounts (`manage.py run_streams`).

It needs PostgreSQL and the venues only.

One thread per account that is watched, has a key and whose venue offers a stream; accounts and keys that come, change
or go while it runs are taken up or left within seconds. It decides nothing and books nothing: an event makes somebody
look. Where Redis is away nobody hears the bell, and the pollers find what it rang for. Safe to run twice: a lease per
account lets one listen and the other stand by. It outlives the database and ends within two seconds.
"""

from __future__ import annotations

import logging
import threading
import time
from uuid import UUID

from django.db import Error as DatabaseTrouble
from django.db import connections

from trading.connections import offers_stream
from trading.ending import stop_on_signals
from trading.execution.jobs import beat_heart
from trading.models import Credential, ExchangeAccount
from trading.queries.watched_accounts import watched_accounts
from trading.stream_listener import Listener

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
HEART_SECONDS = 5.0
_SHORTEST_BACK_OFF, _LONGEST_BACK_OFF = 0.2, 5.0
_FAREWELL_SECONDS = 1.2


class StreamWatch:
    """`run` until `stop` is set. One listener per account, replaced when its address or its key changed."""

    def __init__(self, stop: threading.Event) -> None:
        self.stop = stop
        self.listeners: dict[UUID, Listener] = {}
        self._heart_due = 0.0

    def run(self) -> None:
        wait = _SHORTEST_BACK_OFF
        while not self.stop.is_set():
            try:
                self.look_once()
            except DatabaseTrouble as error:
                log.warning("no database (%s); looking again in %.1f s", type(error).__name__, wait)
                connections.close_all()
                self.stop.wait(wait)
                wait = min(wait * 2, _LONGEST_BACK_OFF)
            else:
                wait = _SHORTEST_BACK_OFF
                self.stop.wait(LOOK_SECONDS)
        self._say_farewell()

    def look_once(self) -> None:
        """Start what should listen, stop what should not. Raises Django's database errors."""
        if time.monotonic() >= self._heart_due:
            beat_heart()
            self._heart_due = time.monotonic() + HEART_SECONDS
        wanted = {account.pk: (account, marks) for account, marks in _read_wanted()}
        for key, listener in list(self.listeners.items()):
            if not listener.is_alive():
                del self.listeners[key]
            elif key not in wanted:
                listener.leave(
                    "nobody needs it: the account is off and nothing of it is at risk, or it has no key"
                )
            elif listener.marks != wanted[key][1]:
                listener.leave("the account's address or key was changed")
        for key, (account, marks) in wanted.items():
            if key not in self.listeners:
                self.listeners[key] = Listener(account, marks)
                self.listeners[key].start()

    def _say_farewell(self) -> None:
        for listener in self.listeners.values():
            listener.leave("run_streams was stopped")
        until = time.monotonic() + _FAREWELL_SECONDS
        for listener in self.listeners.values():
            listener.join(max(0.0, until - time.monotonic()))
        connections.close_all()


def _read_wanted() -> list[tuple[ExchangeAccount, tuple[object, ...]]]:
    """Accounts to listen to, each with what makes its connection."""
    replaced_at = dict(Credential.objects.values_list("account_id", "replaced_at"))
    return [
        (account, (account.name, account.base_url, account.rate_limit_rps, replaced_at[account.pk]))
        for account in watched_accounts()
        if account.pk in replaced_at and offers_stream(account)
    ]


def run_streams() -> None:
    """Until SIGTERM or SIGINT; ends within two seconds, also out of a call that hangs."""
    stop = stop_on_signals()
    print("listening to private streams", flush=True)  # whoever started this waits for it, at any log level
    StreamWatch(stop).run()
