"""`python -m tests.chaos.process.engager COUNT`: engages and releases again and again, as a process of the stack.

One JSON line per engage: when it began, committed and answered by the wall clock, what it named as under way, and
when the release began. Scopes take turns: everything (with the stop flag of this host) and the account (by the database
alone).
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import django

django.setup()

from trading.domain.actors import Actor, ActorKind  # noqa: E402
from trading.domain.enums import HaltScope  # noqa: E402
from trading.domain.errors import LeviError  # noqa: E402
from trading.execution.halts import engage, release  # noqa: E402
from trading.failpoints import FailpointRule, arm  # noqa: E402
from trading.models import ExchangeAccount  # noqa: E402

ACTOR = Actor(ActorKind.COMMAND, "engager")
LOOKED_AT_SECONDS = 0.15
TRADES_SECONDS = 0.15


def main(count: int) -> None:
    account = ExchangeAccount.objects.get(is_default=True).name
    with TemporaryDirectory() as folder:
        log = Path(folder) / "commits"
        arm({"halts.after_commit": FailpointRule("sleep")}, log)
        for number in range(count):
            scope = (HaltScope.EVERYTHING, "") if number % 2 else (HaltScope.ACCOUNT, account)
            one(scope, log)


def one(scope: tuple[HaltScope, str], log: Path) -> None:
    began = time.time()
    done = engage(*scope, reason="engager", actor=ACTOR, cancel=None)
    answered = time.time()
    committed = float(log.read_text().splitlines()[-1].split()[0])
    time.sleep(LOOKED_AT_SECONDS)  # what arrives now came after the answer
    released = time.time()
    row = {"began": began, "committed": committed, "answered": answered, "released": released}
    print(json.dumps(row | {"scope": scope[0], "in_flight": done.in_flight}), flush=True)
    while True:
        try:
            release(*scope, reason="engager", actor=ACTOR)
            break
        except LeviError:
            time.sleep(0.05)  # a permit is being written
    time.sleep(TRADES_SECONDS)


if __name__ == "__main__":
    main(int(sys.argv[1]))
