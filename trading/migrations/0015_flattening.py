"""Flattenings: rows that never disappear, the origin of their orders, and who may ask for one."""

import django.db.models.deletion
from django.db import migrations, models

import trading.models.columns

KEPT = """
CREATE TRIGGER refuse_rows BEFORE DELETE ON trading_flattening
    FOR EACH ROW EXECUTE FUNCTION levi_refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON trading_flattening
    FOR EACH STATEMENT EXECUTE FUNCTION levi_refuse_change();
ALTER TABLE trading_flattening ENABLE ALWAYS TRIGGER refuse_rows;
ALTER TABLE trading_flattening ENABLE ALWAYS TRIGGER refuse_truncate;
"""
RIGHTS = {
    "viewer": ("view_flattening",),
    "trader": ("view_flattening",),
    "risk": ("view_flattening", "flatten_position"),
    "admin": ("view_flattening",),
}


def give_rights(apps, schema_editor):
    content_type, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label="trading", model="flattening"
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
        ("trading", "0010_sign_in"),
    ]

    operations = [
        migrations.CreateModel(
            name="Flattening",
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
                    "account",
                    models.CharField(blank=True, help_text="Its name; empty: every account.", max_length=40),
                ),
                (
                    "symbol",
                    models.CharField(blank=True, help_text="BASE/QUOTE; empty: every symbol.", max_length=40),
                ),
                (
                    "quantity",
                    models.DecimalField(
                        decimal_places=18,
                        help_text="At most so much of the one position; empty: all of it.",
                        max_digits=38,
                        null=True,
                    ),
                ),
                ("reason", models.CharField(max_length=300)),
                ("actor", models.CharField(max_length=150)),
                ("requested_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[("running", "Running"), ("flat", "Flat"), ("remains", "not all is closed")],
                        default="running",
                        max_length=10,
                    ),
                ),
                (
                    "report",
                    models.JSONField(
                        default=dict, help_text="Per account and symbol: what is left, and why."
                    ),
                ),
                ("rounds", models.IntegerField(default=0)),
                ("finished_at", models.DateTimeField(null=True)),
                ("leased_until", models.DateTimeField(null=True)),
                ("leased_by", models.CharField(blank=True, max_length=80)),
            ],
            options={
                "ordering": ["-requested_at"],
                "permissions": [("flatten_position", "Can close positions, also while halted")],
                "default_permissions": ("view",),
            },
        ),
        migrations.RemoveConstraint(
            model_name="order",
            name="order_origin_known",
        ),
        migrations.AlterField(
            model_name="order",
            name="origin",
            field=models.CharField(
                choices=[
                    ("signal", "signal"),
                    ("api", "api"),
                    ("panel", "panel"),
                    ("sdk", "sdk"),
                    ("flatten", "flatten"),
                    ("orphan", "orphan"),
                    ("external", "external"),
                ],
                max_length=20,
            ),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("origin__in", ["signal", "api", "panel", "sdk", "flatten", "orphan", "external"])
                ),
                name="order_origin_known",
            ),
        ),
        migrations.AddField(
            model_name="flattening",
            name="sweep",
            field=models.OneToOneField(
                help_text="Of the halt it belongs to.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="flattening",
                to="trading.sweep",
            ),
        ),
        migrations.AddConstraint(
            model_name="flattening",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "running")), fields=("account", "symbol"), name="flattening_once"
            ),
        ),
        migrations.RunSQL(KEPT, migrations.RunSQL.noop),
        migrations.RunPython(give_rights, migrations.RunPython.noop),
    ]
