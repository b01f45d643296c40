"""The ledger of movements, append-only; breaks with a size, an end and a person's word; daily reports with a signature."""

from decimal import Decimal

import django.db.models.deletion
from django.db import migrations, models

APPEND_ONLY = """
CREATE TRIGGER refuse_rows BEFORE UPDATE OR DELETE ON trading_movement
    FOR EACH ROW EXECUTE FUNCTION levi_refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON trading_movement
    FOR EACH STATEMENT EXECUTE FUNCTION levi_refuse_change();
ALTER TABLE trading_movement ENABLE ALWAYS TRIGGER refuse_rows;
ALTER TABLE trading_movement ENABLE ALWAYS TRIGGER refuse_truncate;
"""
# A report may be made anew until it is signed; from then on it stays as it is.
SIGNED_STAYS = """
CREATE FUNCTION levi_guard_report() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.signed_at IS NOT NULL THEN
        RAISE EXCEPTION 'the report of % is kept as it is', OLD.day USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_report BEFORE UPDATE OR DELETE ON trading_dailyreport
    FOR EACH ROW EXECUTE FUNCTION levi_guard_report();
ALTER TABLE trading_dailyreport ENABLE ALWAYS TRIGGER guard_report;
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON trading_dailyreport
    FOR EACH STATEMENT EXECUTE FUNCTION levi_refuse_change();
ALTER TABLE trading_dailyreport ENABLE ALWAYS TRIGGER refuse_truncate;
"""
RIGHTS = {
    "viewer": ("movement.view_movement", "dailyreport.view_dailyreport"),
    "trader": ("movement.view_movement", "dailyreport.view_dailyreport", "break.acknowledge_break"),
    "risk": (
        "movement.view_movement",
        "dailyreport.view_dailyreport",
        "dailyreport.sign_report",
        "break.acknowledge_break",
        "break.adjust_break",
    ),
    "admin": ("movement.view_movement", "dailyreport.view_dailyreport"),
}


def give_rights(apps, schema_editor):
    for role, rights in RIGHTS.items():
        group, _ = apps.get_model("auth", "Group").objects.get_or_create(name=role)
        for right in rights:
            model, codename = right.split(".")
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
        ("trading", "0021_sweep_emptied"),
    ]

    operations = [
        migrations.CreateModel(
            name="DailyReport",
            fields=[
                ("day", models.DateField(primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField()),
                ("content", models.JSONField(default=dict)),
                (
                    "digest",
                    models.CharField(help_text="SHA-256 of the content's canonical JSON.", max_length=64),
                ),
                ("signed_by", models.CharField(blank=True, max_length=150)),
                ("signed_at", models.DateTimeField(null=True)),
                ("note", models.CharField(blank=True, max_length=300)),
            ],
            options={
                "ordering": ["-day"],
                "permissions": [("sign_report", "Can sign a daily report")],
                "default_permissions": ("view",),
            },
        ),
        migrations.AlterModelOptions(
            name="break",
            options={
                "ordering": ["-since"],
                "permissions": [
                    ("acknowledge_break", "Can acknowledge a break"),
                    ("adjust_break", "Can adjust the books to close a break"),
                ],
            },
        ),
        migrations.AddField(
            model_name="balance",
            name="booked",
            field=models.DecimalField(
                decimal_places=18,
                default=Decimal("0"),
                help_text="The sum of all movements of this asset.",
                max_digits=38,
            ),
        ),
        migrations.AddField(
            model_name="balance",
            name="drift",
            field=models.DecimalField(
                decimal_places=18,
                default=Decimal("0"),
                help_text="What the venue had more than booked when nothing moved: an open break.",
                max_digits=38,
            ),
        ),
        migrations.AddField(
            model_name="break",
            name="is_beyond",
            field=models.BooleanField(default=False, help_text="Larger than the tolerance of its kind."),
        ),
        migrations.AddField(
            model_name="break",
            name="reason",
            field=models.CharField(blank=True, help_text="The owner's words.", max_length=300),
        ),
        migrations.AddField(
            model_name="break",
            name="resolution",
            field=models.CharField(
                blank=True,
                choices=[
                    ("gone", "Gone"),
                    ("explained", "Explained"),
                    ("adjusted", "Adjusted"),
                    ("accepted", "Accepted"),
                ],
                max_length=20,
            ),
        ),
        migrations.AddField(
            model_name="break",
            name="symbol",
            field=models.CharField(
                blank=True, help_text="The instrument, where it is about one.", max_length=40
            ),
        ),
        migrations.AddField(
            model_name="break",
            name="taken_at_value",
            field=models.DecimalField(
                decimal_places=18,
                help_text="The value its owner acknowledged; growth acts again.",
                max_digits=38,
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="break",
            name="value",
            field=models.DecimalField(
                decimal_places=18,
                help_text="The difference in the reporting currency; empty: no price for it.",
                max_digits=38,
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="equitysnapshot",
            name="peak",
            field=models.DecimalField(
                decimal_places=18,
                help_text="The highest equity less transfers up to here.",
                max_digits=38,
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="equitysnapshot",
            name="transfers",
            field=models.DecimalField(
                decimal_places=18,
                default=Decimal("0"),
                help_text="Worth of all deposits less withdrawals up to here.",
                max_digits=38,
            ),
        ),
        migrations.AddField(
            model_name="exchangeaccount",
            name="books_opened_at",
            field=models.DateTimeField(
                blank=True, editable=False, help_text="When the opening balances were taken over.", null=True
            ),
        ),
        migrations.AddField(
            model_name="syncrun",
            name="balances",
            field=models.CharField(blank=True, help_text="What comparing them came to.", max_length=12),
        ),
        migrations.CreateModel(
            name="Movement",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("asset", models.CharField(max_length=30)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("fill", "Fill"),
                            ("fee", "Fee"),
                            ("rebate", "Rebate"),
                            ("deposit", "Deposit"),
                            ("withdrawal", "Withdrawal"),
                            ("opening", "Opening"),
                            ("adjustment", "Adjustment"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "quantity",
                    models.DecimalField(
                        decimal_places=18, help_text="Signed: what it adds to the asset.", max_digits=38
                    ),
                ),
                (
                    "value",
                    models.DecimalField(
                        decimal_places=18,
                        help_text="Worth in the reporting currency when booked; not of fills.",
                        max_digits=38,
                        null=True,
                    ),
                ),
                (
                    "at",
                    models.DateTimeField(help_text="When it happened, by the venue where the venue says so."),
                ),
                ("booked_at", models.DateTimeField()),
                (
                    "reference",
                    models.CharField(help_text="The fill, transfer or break it comes from.", max_length=120),
                ),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="movements",
                        to="trading.exchangeaccount",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("kind__in", ["deposit", "withdrawal", "opening", "adjustment"])),
                        fields=["account", "-booked_at"],
                        name="movement_not_of_fills",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                ["fill", "fee", "rebate", "deposit", "withdrawal", "opening", "adjustment"],
                            )
                        ),
                        name="movement_kind_known",
                    ),
                    models.UniqueConstraint(
                        fields=("account", "reference", "kind", "asset"), name="movement_once"
                    ),
                ],
            },
        ),
        # Of an installation that has balances but no ledger yet: the next sync opens its books.
        migrations.RunSQL("UPDATE trading_balance SET drift = free + locked;", migrations.RunSQL.noop),
        migrations.RunSQL(APPEND_ONLY, migrations.RunSQL.noop),
        migrations.RunSQL(SIGNED_STAYS, "DROP FUNCTION levi_guard_report CASCADE;"),
        migrations.RunPython(give_rights, migrations.RunPython.noop),
    ]
