"""Saved views of lists, and exports written in the background. Every role may see exports; a file needs its source's right."""

import importlib

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import trading.models.columns

VIEWERS = ("viewer", "trader", "risk", "admin")


def give_rights(apps, schema_editor):
    make = importlib.import_module("trading.migrations.0003_roles_and_controls")._permission
    view = make(apps, "trading", "exportjob", "view_exportjob")
    for group in apps.get_model("auth", "Group").objects.filter(name__in=VIEWERS):
        group.permissions.add(view)


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0018_trigger_blindness"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ExportJob",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=trading.models.columns.new_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("source", models.CharField(max_length=20)),
                ("format", models.CharField(max_length=10)),
                ("filters", models.JSONField(default=dict)),
                ("actor", models.CharField(max_length=150)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                            ("expired", "Expired"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("rows_done", models.BigIntegerField(default=0)),
                ("rows_total", models.BigIntegerField(null=True)),
                ("size", models.BigIntegerField(default=0, help_text="Bytes.")),
                ("host", models.CharField(blank=True, max_length=80)),
                ("error", models.CharField(blank=True, max_length=300)),
                ("requested_at", models.DateTimeField()),
                ("moved_at", models.DateTimeField(help_text="The last sign of progress.")),
                ("finished_at", models.DateTimeField(null=True)),
                ("expires_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "export",
                "ordering": ["-requested_at", "-id"],
                "default_permissions": ("view",),
                "indexes": [models.Index(fields=["-requested_at", "-id"], name="export_by_time")],
            },
        ),
        migrations.CreateModel(
            name="SavedFilter",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("page", models.CharField(max_length=120)),
                ("name", models.CharField(max_length=40)),
                ("query", models.CharField(max_length=500)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("user", "page", "name"), name="saved_filter_once")
                ],
            },
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(
                condition=models.Q(("request_id", ""), _negated=True),
                fields=["request_id"],
                name="audit_by_request",
            ),
        ),
        migrations.AddIndex(
            model_name="signal",
            index=models.Index(fields=["key"], name="signal_by_key"),
        ),
        migrations.RunPython(give_rights, migrations.RunPython.noop),
    ]
