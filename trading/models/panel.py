"""What operators keep for themselves in the panel: saved views of lists, and copies that are being written."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from .columns import new_id


class SavedFilter(models.Model):
    """A list's filters under a name. Nobody else's business: each person sees their own."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    page = models.CharField(max_length=120)
    name = models.CharField(max_length=40)
    query = models.CharField(max_length=500)

    class Meta:
        ordering = ["name"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["user", "page", "name"], name="saved_filter_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def url(self) -> str:
        return f"{self.page}?{self.query}"


class ExportState(models.TextChoices):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    EXPIRED = "expired"


class ExportJob(models.Model):
    """One copy of a list as a file under HOME_DIR/exports of the host that wrote it, until it expires."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    source = models.CharField(max_length=20)
    format = models.CharField(max_length=10)
    filters = models.JSONField(default=dict)
    actor = models.CharField(max_length=150)
    state = models.CharField(max_length=10, choices=ExportState.choices, default=ExportState.WAITING)
    rows_done = models.BigIntegerField(default=0)
    rows_total = models.BigIntegerField(null=True)
    size = models.BigIntegerField(default=0, help_text="Bytes.")
    host = models.CharField(max_length=80, blank=True)
    error = models.CharField(max_length=300, blank=True)
    requested_at = models.DateTimeField()
    moved_at = models.DateTimeField(help_text="The last sign of progress.")
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-requested_at", "-id"]
        verbose_name = "export"
        default_permissions = ("view",)
        indexes = [models.Index(fields=["-requested_at", "-id"], name="export_by_time")]

    def __str__(self) -> str:
        return f"{self.source}.{self.format}"

    @property
    def file_name(self) -> str:
        return f"{self.source}-{self.requested_at:%Y%m%d-%H%M%S}-{str(self.id)[-8:]}.{self.format}"
