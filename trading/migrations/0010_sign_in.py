"""Second factors, recovery codes, sessions and invitations, and who may end other people's sessions."""

import importlib

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import trading.models.columns


def give_rights(apps, schema_editor):
    make = importlib.import_module("trading.migrations.0003_roles_and_controls")._permission
    end = make(apps, "trading", "operatorsession", "end_sessions")
    for group in apps.get_model("auth", "Group").objects.filter(name="admin"):
        group.permissions.add(end)


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("trading", "0008_limits_by_scope"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Invitation",
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
                ("username", models.CharField(max_length=150)),
                ("roles", models.JSONField(default=list)),
                ("secret_hash", models.CharField(editable=False, max_length=64, unique=True)),
                ("created_by", models.CharField(max_length=150)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(blank=True, null=True)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-created_at", "-id"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="SecondFactor",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="second_factor",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("sealed_key", models.BinaryField(null=True)),
                ("sealed_next", models.BinaryField(null=True)),
                ("confirmed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "last_step",
                    models.BigIntegerField(
                        default=0,
                        editable=False,
                        help_text="The time step of the last code that was taken; no older one is.",
                    ),
                ),
                (
                    "failed_at",
                    models.JSONField(
                        default=list, editable=False, help_text="When wrong codes came, lately."
                    ),
                ),
            ],
            options={
                "verbose_name": "second factor",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="OperatorSession",
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
                ("address", models.CharField(blank=True, max_length=64)),
                ("browser", models.CharField(blank=True, max_length=200)),
                ("began_at", models.DateTimeField()),
                (
                    "acted_at",
                    models.DateTimeField(
                        help_text="The last sign-in, code or change; looking is not recorded."
                    ),
                ),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("ended_why", models.CharField(blank=True, max_length=100)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="operator_sessions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-began_at", "-id"],
                "permissions": [("end_sessions", "Can see and end the sessions of everybody")],
                "default_permissions": (),
                "indexes": [models.Index(fields=["user", "-began_at"], name="session_by_user")],
            },
        ),
        migrations.CreateModel(
            name="RecoveryCode",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code_hash", models.CharField(editable=False, max_length=64)),
                ("used_at", models.DateTimeField(blank=True, null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="recovery_codes",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("user", "code_hash"), name="recovery_code_once")
                ],
            },
        ),
        migrations.RunPython(give_rights, migrations.RunPython.noop),
    ]
