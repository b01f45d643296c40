"""No panel action acts on a GET or for everybody.

Unfold's plain `@action`s answer GET and HEAD for any staff user unless they have both `permissions=` and `dialog=`.
Django's own list actions are posted forms, but need a right as well. The walk is over what is really registered.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib import admin

admin.autodiscover()
UNFOLD_LISTS = ("actions_list", "actions_detail", "actions_row", "actions_submit_line")


def walk_unfold_actions() -> Iterator[tuple[str, object, str]]:
    for model, model_admin in admin.site._registry.items():
        for attribute in UNFOLD_LISTS:
            for name in flatten(getattr(model_admin, attribute, ()) or ()):
                action = getattr(model_admin, name) if isinstance(name, str) else name
                yield f"{model.__name__}.{attribute}.{name}", action, attribute


def flatten(entries) -> Iterator[object]:
    """A list of actions may hold groups: {"title": …, "items": […]}."""
    for entry in entries:
        if isinstance(entry, dict):
            yield from flatten(entry.get("items", ()))
        else:
            yield entry


ACTIONS = list(walk_unfold_actions())


@pytest.mark.parametrize(("name", "action", "attribute"), ACTIONS, ids=[name for name, *_rest in ACTIONS])
def test_an_unfold_action_needs_a_right_and_a_dialog(name: str, action: object, attribute: str) -> None:
    assert getattr(action, "allowed_permissions", None), f"{name}: add permissions=[…]"
    assert getattr(action, "dialog", None), f"{name}: without dialog= it acts on a GET"
    # They run inside the admin's own transaction, where no venue may be called.
    assert attribute != "actions_submit_line", f"{name}: submit-line actions are never used for trading verbs"


def test_every_list_action_needs_a_right() -> None:
    open_to_all = [
        f"{model.__name__}.{name}"
        for model, model_admin in admin.site._registry.items()
        for function, name, _text in model_admin._get_base_actions()
        if not getattr(function, "allowed_permissions", None)
    ]
    assert open_to_all == []


def test_the_panel_is_looked_at_at_all() -> None:
    assert any(model._meta.app_label == "trading" for model in admin.site._registry)
