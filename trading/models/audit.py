"""The audit trail's table. Written by trading/audit.py only; triggers refuse every change, deletion and truncation.

Each writer (one database connection) has its own chain: `stream` names it, `sequence` counts from 1, `hash` covers the
entry and the hash before it. Checkpoints over all streams can be laid on top without touching a row.
"""

from __future__ import annotations

from django.db import models


class AuditEntry(models.Model):
    id = models.BigAutoField(primary_key=True)
    stream = models.UUIDField()
    sequence = models.BigIntegerField()
    at = models.DateTimeField()
    kind = models.CharField(max_length=60)
    actor = models.CharField(max_length=150)
    object_type = models.CharField(max_length=40, blank=True)
    object_id = models.CharField(max_length=80, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    data = models.JSONField(
        default=dict, help_text="What happened; before and after where something changed."
    )
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "audit entries"
        permissions = [
            ("verify_audit", "Can verify the audit trail"),
            ("export_audit", "Can export the audit trail"),
        ]
        constraints = [models.UniqueConstraint(fields=["stream", "sequence"], name="audit_sequence_once")]
        indexes = [
            models.Index(fields=["-at", "-id"], name="audit_by_time"),
            models.Index(fields=["object_type", "object_id", "-id"], name="audit_by_object"),
            models.Index(fields=["kind", "-id"], name="audit_by_kind"),
            models.Index(fields=["actor", "-id"], name="audit_by_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id}"
