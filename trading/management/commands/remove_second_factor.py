"""Removes an operator's second factor: the last resort for a lost phone, when nobody else can do it in the panel.

Whoever has a shell on the host and the database can do it, and the audit trail says that it was done. The operator is
signed out everywhere and enrols anew at the next sign-in, which still takes the password.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandParser

from trading.domain.errors import InvalidInput
from trading.execution.operators import end_trust
from trading.execution.second_factor import has_second_factor, remove_second_factor
from trading.management.operator_command import OperatorCommand


class Command(OperatorCommand):
    help = "Remove an operator's second factor, for a lost phone."

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the operator")
        parser.add_argument("--reason", required=True, help="how you know that it is them who asks")

    def work(self, options: Mapping[str, Any]) -> None:
        user = User.objects.filter(username=options["name"]).first()
        if user is None or not has_second_factor(user):
            raise InvalidInput(
                f"There is no operator {options['name']} with a second factor.", remedy="Check the name."
            )
        remove_second_factor(user, reason=options["reason"], actor=self.actor)
        end_trust(user, why="second factor removed", actor=self.actor)
        self.report(
            {"operator": user.username, "second_factor": None},
            f"{user.username} has no second factor any more and is signed out everywhere.",
        )
