"""Requests for a second person's word: what exactly would happen, who asks, and what was answered.

A request is bound to the hash of its payload and to the epoch; the database refuses to change either, or who asked.
`used_at` is set once, in the transaction of the act itself: an approval is good for one act.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from trading.domain.enums import ApprovalKind, ApprovalState

from .columns import choices, new_id, one_of


class ApprovalRequest(models.Model):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=20, choices=choices(ApprovalKind))
    subject = models.CharField(max_length=300, help_text="What exactly will happen, as a sentence.")
    payload = models.JSONField(default=dict)
    payload_hash = models.CharField(max_length=64, editable=False)
    epoch = models.BigIntegerField(help_text="The epoch at asking; a halt engaged since then makes it void.")
    requested_by = models.CharField(max_length=150)
    reason = models.CharField(max_length=300)
    request_id = models.CharField(max_length=64, blank=True)
    requested_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    state = models.CharField(
        max_length=10, choices=choices(ApprovalState), default=ApprovalState.PENDING.value
    )
    decided_by = models.CharField(max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    answer = models.CharField(
        max_length=300, blank=True, help_text="Why it was refused or could not be done."
    )
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-requested_at", "-id"]
        default_permissions = ("view",)
        permissions = [("decide_approval", "Can approve or refuse what another person asks for")]
        indexes = [models.Index(fields=["-requested_at", "-id"], name="approval_by_time")]
        constraints = [
            one_of("kind", ApprovalKind, "approval_kind_known"),
            one_of("state", ApprovalState, "approval_state_known"),
            models.UniqueConstraint(
                fields=["kind", "payload_hash"],
                condition=Q(state=ApprovalState.PENDING.value),
                name="approval_asked_once",
            ),
            models.CheckConstraint(
                condition=~Q(state=ApprovalState.APPROVED.value) | ~Q(decided_by=F("requested_by")),
                name="approval_by_another",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[ApprovalState.APPROVED.value, ApprovalState.REFUSED.value])
                | (~Q(decided_by="") & Q(decided_at__isnull=False)),
                name="approval_decided_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.subject}"
