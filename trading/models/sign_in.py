"""How operators prove who they are: second factors, recovery codes, sessions and invitations.

No secret stands here in clear: the factor's key is sealed (trading.vault), codes and invitations are hashes. The row of
a session outlives its end, as the record of who was signed in, from where and until when.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models

from .columns import new_id


class SecondFactor(models.Model):
    """A person's authenticator (TOTP). `sealed_next` is a key that was shown but not confirmed by a code yet."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="second_factor"
    )
    sealed_key = models.BinaryField(null=True, editable=False)
    sealed_next = models.BinaryField(null=True, editable=False)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    last_step = models.BigIntegerField(
        default=0, editable=False, help_text="The time step of the last code that was taken; no older one is."
    )
    failed_at = models.JSONField(default=list, editable=False, help_text="When wrong codes came, lately.")

    class Meta:
        default_permissions = ()
        verbose_name = "second factor"

    def __str__(self) -> str:
        return f"second factor of {self.user_id}"


class RecoveryCode(models.Model):
    """Stands in for the authenticator once."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="recovery_codes")
    code_hash = models.CharField(max_length=64, editable=False)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["user", "code_hash"], name="recovery_code_once")]

    def __str__(self) -> str:
        return f"recovery code {self.pk}"


class OperatorSession(models.Model):
    """One sign-in in one browser. The browser's cookie leads to Django's session, and that one names this row."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="operator_sessions")
    address = models.CharField(max_length=64, blank=True)
    browser = models.CharField(max_length=200, blank=True)
    began_at = models.DateTimeField()
    acted_at = models.DateTimeField(help_text="The last sign-in, code or change; looking is not recorded.")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_why = models.CharField(max_length=100, blank=True)

    class Meta:
        ordering = ["-began_at", "-id"]
        default_permissions = ()
        permissions = [("end_sessions", "Can see and end the sessions of everybody")]
        indexes = [models.Index(fields=["user", "-began_at"], name="session_by_user")]

    def __str__(self) -> str:
        return f"session of {self.user_id} since {self.began_at:%Y-%m-%d %H:%M}"


class Invitation(models.Model):
    """A one-time link by which a new operator sets a password. Only the hash of its secret is stored."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    username = models.CharField(max_length=150)
    roles = models.JSONField(default=list)
    secret_hash = models.CharField(max_length=64, unique=True, editable=False)
    created_by = models.CharField(max_length=150)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        default_permissions = ()

    def __str__(self) -> str:
        return f"invitation of {self.username}"
