"""A webhook of the run, made as an operator would make one, so that alerts of chart programs are part of the flow."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from rig.driven import DrivenStack

NAMESPACE = UUID("5b0c9a4e-2f0e-4a76-9f7e-6d6f0f8f5a01")
STRATEGY = "soak"
# In a process of the product: the panel's form asks for a sign-in with a second factor, this for the machine itself.
_MAKE = f"""
import json
from trading.domain.actors import system_actor
from trading.execution.webhooks import create_webhook
row, secret = create_webhook("soak", strategy="{STRATEGY}", days=3, actor=system_actor("soak"))
print("made " + json.dumps([row.slug, secret]))
"""


@dataclass(frozen=True)
class Hook:
    slug: str
    secret: str

    @property
    def url(self) -> str:
        return f"/api/v1/webhooks/{self.slug}"

    def message(self, body: dict[str, Any], key: str) -> dict[str, Any]:
        return {**body, "id": key, "secret": self.secret}


def make_hook(stack: DrivenStack) -> Hook | None:
    """None where the product refused; the flow goes on without alerts and says so."""
    done = stack.manage("shell", "-v", "0", "-c", _MAKE)
    made = next((line for line in done.stdout.splitlines() if line.startswith("made ")), "")
    return Hook(*json.loads(made.removeprefix("made "))) if made else None
