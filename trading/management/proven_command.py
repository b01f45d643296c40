"""Commands that do what the panel asks a second factor for: `--operator NAME --code 123456` says who types.

A shell on the host is a person with the rights of the operating system, but not yet one of the operators: outside paper
mode the verbs refuse it (execution.authority). With both options the command acts as that operator, with their roles.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandParser

from trading.domain.actors import Actor, ActorKind
from trading.domain.errors import InvalidInput, NotAllowed
from trading.execution.second_factor import verify_code
from trading.process_name import os_user

from .operator_command import OperatorCommand


class ProvenCommand(OperatorCommand):
    """`right`: what the operator must hold."""

    right = ""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--operator", metavar="NAME", help="who you are; needed in testnet and production"
        )
        parser.add_argument("--code", help="a code of that operator's authenticator, or a recovery code")

    def prove(self, options: Mapping[str, Any]) -> Actor:
        """The operator, with a factor shown just now; without the options whoever the shell belongs to."""
        name, code = options["operator"], options["code"]
        if not name and not code:
            return self.actor
        if not name or not code:
            raise InvalidInput("--operator and --code come together.", remedy="Give both.")
        user = User.objects.filter(username=name, is_active=True, is_staff=True).first()
        if user is None:
            raise InvalidInput(f"There is no operator {name}.", remedy="Use the name you sign in with.")
        if not user.has_perm(self.right):
            raise NotAllowed(f"{name} does not have the right {self.right}.", remedy="Ask somebody who has.")
        shown_at = verify_code(user, code, actor=self.actor)
        return Actor(ActorKind.OPERATOR, user.username, f"cli-{os_user()}"[:64], shown_at)
