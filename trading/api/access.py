"""Who may do what: every endpoint names the right each of its methods needs, and what names none is refused.

The rights are Django permissions, held by the groups viewer, trader, risk and admin. `PUBLIC` is for what a probe or a
browser needs before anybody signed in, and shows nothing of the installation's trading.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from trading.domain.errors import NotAllowed

PUBLIC = "public"


def right_needed(view: Any, method: str) -> str | None:
    right: str | None = view.needs.get("GET" if method == "HEAD" else method)
    return right


def roles_with(right: str) -> list[str]:
    app, _, codename = right.partition(".")
    groups = Group.objects.filter(permissions__codename=codename, permissions__content_type__app_label=app)
    return sorted(groups.values_list("name", flat=True))


class HasNeededRight(BasePermission):
    def has_permission(self, request: Request, view: Any) -> bool:
        right = right_needed(view, str(request.method))
        if right == PUBLIC:
            return True
        if right is None or not request.user.is_authenticated:
            return False
        require_right(request, right)
        return True


def require_right(request: Request, right: str) -> None:
    """Raise NotAllowed naming the right and the roles that carry it."""
    if not request.user.has_perm(right):
        roles = roles_with(right)
        raise NotAllowed(
            f"This needs the right {right}, which {request.user} does not have.",
            remedy=f"Use a token or sign in with one of the roles: {', '.join(roles)}." if roles else "",
            right=right,
            roles=roles,
        )
