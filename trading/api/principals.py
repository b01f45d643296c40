"""Who stands behind a request: an operator (the panel's session) or a client (an API token).

Both answer `has_perm`; a client's rights are those of its token's groups, read once per request, so that a right that
was taken away is gone at the next request. A client is never a Django user and can not open the panel.
"""

from __future__ import annotations

from functools import cached_property

from django.contrib.auth.models import Permission
from rest_framework.request import Request

from trading.domain.actors import Actor, ActorKind
from trading.models import ApiToken
from trading.sign_in.sessions import operator_actor


class Client:
    """A program that showed a valid token. Quacks like a user as far as Django REST framework asks."""

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def __init__(self, token: ApiToken) -> None:
        self.token = token
        self.pk = token.pk

    def __str__(self) -> str:
        return self.token.name

    @cached_property
    def rights(self) -> frozenset[str]:
        rows = Permission.objects.filter(group__api_tokens=self.token)
        return frozenset(
            f"{app}.{name}" for app, name in rows.values_list("content_type__app_label", "codename")
        )

    def has_perm(self, right: str) -> bool:
        return right in self.rights


def actor_of(request: Request) -> Actor:
    """The actor every verb is called with."""
    request_id = getattr(request, "request_id", "")
    if isinstance(request.user, Client):
        return Actor(ActorKind.CLIENT, request.user.token.name, request_id)
    return operator_actor(request._request, request_id)
