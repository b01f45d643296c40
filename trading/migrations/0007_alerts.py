"""Alerts, channels and deliveries, and who may look at, acknowledge and set them up."""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

import trading.domain.enums
import trading.models.columns

VIEW = ("view_alert", "alert"), ("view_alertchannel", "alertchannel"), ("view_alertdelivery", "alertdelivery")
MANAGE = ("add_alertchannel", "alertchannel"), ("change_alertchannel", "alertchannel")
ACKNOWLEDGE = (("acknowledge_alert", "alert"),)
RIGHTS = {
    "viewer": VIEW,
    "trader": VIEW + ACKNOWLEDGE,
    "risk": VIEW + ACKNOWLEDGE,
    "admin": VIEW + ACKNOWLEDGE + MANAGE,
}


def give_rights(apps, schema_editor):
    for role, rights in RIGHTS.items():
        group, _ = apps.get_model("auth", "Group").objects.get_or_create(name=role)
        for codename, model in rights:
            content_type, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
                app_label="trading", model=model
            )
            permission, _ = apps.get_model("auth", "Permission").objects.get_or_create(
                content_type=content_type,
                codename=codename,
                defaults={"name": f"Can {codename.replace('_', ' ')}"},
            )
            group.permissions.add(permission)


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0006_approvals"),
    ]

    operations = [
        migrations.CreateModel(
            name="Alert",
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
                ("event", models.CharField(help_text="What happened, such as halt.engaged.", max_length=60)),
                (
                    "severity",
                    models.CharField(
                        choices=[("info", "info"), ("warning", "warning"), ("critical", "critical")],
                        max_length=10,
                    ),
                ),
                ("subject", models.CharField(max_length=200)),
                ("text", models.TextField(blank=True)),
                (
                    "dedupe_key",
                    models.CharField(
                        blank=True,
                        help_text="Alerts with the same key are told once until acknowledged.",
                        max_length=200,
                    ),
                ),
                ("at", models.DateTimeField()),
                ("routed_at", models.DateTimeField(null=True)),
                ("repeat_count", models.IntegerField(default=0)),
                ("last_at", models.DateTimeField(help_text="When it was last repeated.", null=True)),
                ("escalations", models.IntegerField(default=0)),
                ("acknowledged_at", models.DateTimeField(null=True)),
                ("acknowledged_by", models.CharField(blank=True, max_length=150)),
                (
                    "repeat_of",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="repeats",
                        to="trading.alert",
                    ),
                ),
            ],
            options={
                "ordering": ["-at", "-id"],
                "permissions": [("acknowledge_alert", "Can acknowledge alerts")],
            },
        ),
        migrations.CreateModel(
            name="AlertChannel",
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
                (
                    "name",
                    models.CharField(
                        max_length=40,
                        unique=True,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[a-z0-9][a-z0-9_-]{0,39}$",
                                "Use 1 to 40 lower-case letters, digits, _ or -, starting with a letter or digit.",
                            )
                        ],
                    ),
                ),
                ("sealed_url", models.BinaryField()),
                ("sealed_with", models.CharField(help_text="Id of the encryption key.", max_length=16)),
                (
                    "url_hint",
                    models.CharField(
                        help_text="The kind of the address; the rest is never shown.", max_length=40
                    ),
                ),
                ("is_enabled", models.BooleanField(default=True)),
                (
                    "min_severity",
                    models.CharField(
                        choices=[("info", "info"), ("warning", "warning"), ("critical", "critical")],
                        default=trading.domain.enums.Severity["WARNING"],
                        help_text="The least it takes.",
                        max_length=10,
                    ),
                ),
                (
                    "events",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="Families of events it takes, such as halt; empty: all.",
                    ),
                ),
                (
                    "anchors",
                    models.BooleanField(
                        default=False, help_text="Also takes the anchors of the audit trail, one an hour."
                    ),
                ),
                ("anchored_number", models.BigIntegerField(default=0)),
                ("anchored_at", models.DateTimeField(blank=True, null=True)),
                ("failures", models.IntegerField(default=0, help_text="In a row.")),
                ("failing_since", models.DateTimeField(blank=True, null=True)),
                ("retry_at", models.DateTimeField(blank=True, null=True)),
                ("last_error", models.CharField(blank=True, max_length=300)),
                ("delivered_at", models.DateTimeField(blank=True, help_text="The last success.", null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["name"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("min_severity__in", ["info", "warning", "critical"])),
                        name="channel_severity_known",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="AlertDelivery",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "purpose",
                    models.CharField(help_text="alert, escalation n, test, or anchor n.", max_length=30),
                ),
                ("subject", models.CharField(max_length=200)),
                ("text", models.TextField(blank=True)),
                (
                    "severity",
                    models.CharField(
                        choices=[("info", "info"), ("warning", "warning"), ("critical", "critical")],
                        max_length=10,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("delivered", "Delivered"),
                            ("given_up", "given up"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("attempts", models.IntegerField(default=0)),
                ("error", models.CharField(blank=True, max_length=300)),
                ("leased_until", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "alert",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="trading.alert",
                    ),
                ),
                (
                    "channel",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="trading.alertchannel",
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at", "-id"],
            },
        ),
        migrations.AddIndex(
            model_name="alert",
            index=models.Index(fields=["-at", "-id"], name="alert_by_time"),
        ),
        migrations.AddIndex(
            model_name="alert",
            index=models.Index(
                condition=models.Q(("routed_at__isnull", True)), fields=["at"], name="alert_to_route"
            ),
        ),
        migrations.AddIndex(
            model_name="alert",
            index=models.Index(
                condition=models.Q(("acknowledged_at__isnull", True)),
                fields=["dedupe_key", "-at"],
                name="alert_to_repeat",
            ),
        ),
        migrations.AddIndex(
            model_name="alert",
            index=models.Index(
                condition=models.Q(("acknowledged_at__isnull", True)),
                fields=["severity", "-at"],
                name="alert_waiting",
            ),
        ),
        migrations.AddConstraint(
            model_name="alert",
            constraint=models.CheckConstraint(
                condition=models.Q(("severity__in", ["info", "warning", "critical"])),
                name="alert_severity_known",
            ),
        ),
        migrations.AddIndex(
            model_name="alertdelivery",
            index=models.Index(
                condition=models.Q(("state", "waiting")),
                fields=["channel", "created_at"],
                name="delivery_to_send",
            ),
        ),
        migrations.AddIndex(
            model_name="alertdelivery",
            index=models.Index(fields=["-created_at", "-id"], name="delivery_by_time"),
        ),
        migrations.AddConstraint(
            model_name="alertdelivery",
            constraint=models.UniqueConstraint(
                condition=models.Q(("alert__isnull", False)),
                fields=("alert", "channel", "purpose"),
                name="delivery_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="alertdelivery",
            constraint=models.UniqueConstraint(
                condition=models.Q(("purpose__startswith", "anchor")),
                fields=("channel", "purpose"),
                name="anchor_delivery_once",
            ),
        ),
        migrations.RunPython(give_rights, migrations.RunPython.noop),
    ]
