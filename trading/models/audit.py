"""The audit trail's tables. Written by trading/audit/ only; triggers refuse every change, deletion and truncation.

Each writer (one database connection) has its own chain: `stream` names it, `sequence` counts from 1, `hash` covers the
entry and the hash before it. Checkpoints lie on top: each seals what every stream has gained since the one before.
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
            models.Index(fields=["request_id"], condition=~models.Q(request_id=""), name="audit_by_request"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id}"


class AuditCheckpoint(models.Model):
    """A signed root over the entries of all streams since the last one. Append-only, like the entries."""

    number = models.BigIntegerField(primary_key=True, help_text="Without a gap, from 1.")
    at = models.DateTimeField()
    reason = models.CharField(max_length=40)
    actor = models.CharField(max_length=150)
    streams = models.JSONField(help_text="Stream -> [first, last] sequence that this checkpoint seals.")
    entry_count = models.BigIntegerField()
    max_entry_id = models.BigIntegerField(db_index=True, help_text="The highest entry id sealed so far.")
    root = models.CharField(max_length=64)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)
    signature = models.CharField(max_length=128)
    key_id = models.CharField(max_length=16)

    class Meta:
        ordering = ["-number"]
        default_permissions = ()

    def __str__(self) -> str:
        return f"checkpoint {self.number}"


class AuditStreamHead(models.Model):
    """How far each stream is sealed: spares the sealer a search. Derived from the checkpoints; nothing trusts it."""

    stream = models.UUIDField(primary_key=True)
    sequence = models.BigIntegerField()

    class Meta:
        default_permissions = ()
