"""Webhooks, and who may make and look at them."""

import django.db.models.deletion
from django.db import migrations, models

import trading.models.columns

RIGHTS = {"admin": ("view_webhook", "add_webhook", "change_webhook")}


def give_rights(apps, schema_editor):
    content_type, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label="trading", model="webhook"
    )
    for role, codenames in RIGHTS.items():
        group, _ = apps.get_model("auth", "Group").objects.get_or_create(name=role)
        for codename in codenames:
            permission, _ = apps.get_model("auth", "Permission").objects.get_or_create(
                content_type=content_type,
                codename=codename,
                defaults={"name": f"Can {codename.replace('_', ' ')}"},
            )
            group.permissions.add(permission)


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0050_key_rights_asked"),
    ]

    operations = [
        migrations.CreateModel(
            name="Webhook",
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
                ("name", models.CharField(help_text="Who sends to it.", max_length=60, unique=True)),
                (
                    "slug",
                    models.CharField(editable=False, help_text="In its address.", max_length=24, unique=True),
                ),
                ("secret_hash", models.CharField(editable=False, max_length=64)),
                (
                    "quantity",
                    models.DecimalField(
                        decimal_places=18,
                        help_text="Base units of an alert that names no quantity.",
                        max_digits=38,
                        null=True,
                    ),
                ),
                (
                    "addresses",
                    models.JSONField(default=list, help_text="Networks it may come from; empty: any."),
                ),
                ("is_enabled", models.BooleanField(default=True)),
                ("created_by", models.CharField(max_length=150)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField()),
                ("last_used_at", models.DateTimeField(editable=False, null=True)),
                ("revoked_at", models.DateTimeField(editable=False, null=True)),
                (
                    "account",
                    models.ForeignKey(
                        help_text="Empty: the default.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="webhooks",
                        to="trading.exchangeaccount",
                    ),
                ),
                (
                    "strategy",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="webhooks",
                        to="trading.strategy",
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
                "default_permissions": ("view", "add", "change"),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("quantity__isnull", True), ("quantity__gt", 0), _connector="OR"),
                        name="webhook_quantity_positive",
                    )
                ],
            },
        ),
        migrations.RunPython(give_rights, migrations.RunPython.noop),
    ]
