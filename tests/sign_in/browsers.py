"""A browser of an operator who has shown the password; `enrol` and `confirm` bring the second factor."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.authenticators import Authenticator
from trading.models import OperatorSession, SecondFactor
from trading.sign_in.sessions import KEY

BACKEND = "django.contrib.auth.backends.ModelBackend"
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


class Browser:
    def __init__(self, user: User, phone: Authenticator | None = None) -> None:
        self.user, self.phone = user, phone
        self.client = Client()
        self.client.force_login(user, backend=BACKEND)

    def get(self, page: str, *args: Any) -> Any:
        return self.client.get(url_of(page, *args))

    def post(self, page: str, *args: Any, follow: bool = False, **given: Any) -> Any:
        return self.client.post(url_of(page, *args), given, follow=follow)

    def enrol(self) -> Browser:
        """Enrol a phone behind the panel's back; the session still has to show it."""
        self.phone = Authenticator.of(self.user)
        self.client.force_login(self.user, backend=BACKEND)
        return self

    def confirm(self, minutes_ago: float = 0) -> Browser:
        """Show the factor; optionally, as if it had been so long ago."""
        if self.phone is None:
            self.enrol()
        answer = self.post("secondfactor_confirm", code=self.fresh_code())
        assert answer.status_code == 302, answer.content
        if minutes_ago:
            at = timezone.now() - timedelta(minutes=minutes_ago)
            self.change(factor_at=at.isoformat())
        return self

    def fresh_code(self) -> str:
        """A code that was not used yet, whatever was used before."""
        assert self.phone is not None
        SecondFactor.objects.filter(pk=self.user.pk).update(last_step=0)
        return self.phone.code()

    def go_on(self, asked: Any, code: str) -> Any:
        """Answer the page that asks for a code in the middle of something: what it kept, and the code."""
        text = asked.content.decode()
        assert "Confirm that it is you" in text
        kept: dict[str, list[str]] = {}
        for name, value in _HIDDEN.findall(text):
            if name != "csrfmiddlewaretoken":
                kept.setdefault(name, []).append(html.unescape(value))
        target = re.findall(r'<form method="post" action="([^"]+)" class="lv-form"', text)[0]
        return self.client.post(target, {**kept, "levi_code": code})

    def change(self, **sign_in: Any) -> None:
        """What the session remembers, put back or forth."""
        session = self.client.session
        session[KEY] = {**session[KEY], **sign_in}
        session.save()

    def age(self, **span: float) -> None:
        """As if everything this browser did had happened so much earlier."""
        earlier = timezone.now() - timedelta(**span)
        known = self.client.session[KEY]
        self.change(at=earlier.isoformat(), factor_at=earlier.isoformat() if known["factor_at"] else None)
        for name in [name for name in self.client.cookies if name.endswith("seen")]:
            del self.client.cookies[name]

    @property
    def session(self) -> OperatorSession:
        return OperatorSession.objects.get(pk=self.client.session[KEY]["id"])


def url_of(page: str, *args: Any) -> str:
    return page if page.startswith("/") else reverse(f"admin:trading_{page}", args=args)
