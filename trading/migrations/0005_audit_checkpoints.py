"""Signed checkpoints over the audit trail, append-only like its entries, and the sealer's cache of stream heads."""

from django.db import migrations, models

APPEND_ONLY = """
CREATE TRIGGER refuse_rows BEFORE UPDATE OR DELETE ON trading_auditcheckpoint
    FOR EACH ROW EXECUTE FUNCTION levi_refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON trading_auditcheckpoint
    FOR EACH STATEMENT EXECUTE FUNCTION levi_refuse_change();
ALTER TABLE trading_auditcheckpoint ENABLE ALWAYS TRIGGER refuse_rows;
ALTER TABLE trading_auditcheckpoint ENABLE ALWAYS TRIGGER refuse_truncate;
"""


class Migration(migrations.Migration):
    dependencies = [("trading", "0004_order_has_quantity")]
    operations = [
        migrations.CreateModel(
            name="AuditCheckpoint",
            fields=[
                (
                    "number",
                    models.BigIntegerField(
                        help_text="Without a gap, from 1.", primary_key=True, serialize=False
                    ),
                ),
                ("at", models.DateTimeField()),
                ("reason", models.CharField(max_length=40)),
                ("actor", models.CharField(max_length=150)),
                (
                    "streams",
                    models.JSONField(
                        help_text="Stream -> [first, last] sequence that this checkpoint seals."
                    ),
                ),
                ("entry_count", models.BigIntegerField()),
                (
                    "max_entry_id",
                    models.BigIntegerField(db_index=True, help_text="The highest entry id sealed so far."),
                ),
                ("root", models.CharField(max_length=64)),
                ("previous_hash", models.CharField(max_length=64)),
                ("hash", models.CharField(max_length=64)),
                ("signature", models.CharField(max_length=128)),
                ("key_id", models.CharField(max_length=16)),
            ],
            options={"ordering": ["-number"], "default_permissions": ()},
        ),
        migrations.CreateModel(
            name="AuditStreamHead",
            fields=[
                ("stream", models.UUIDField(primary_key=True, serialize=False)),
                ("sequence", models.BigIntegerField()),
            ],
            options={"default_permissions": ()},
        ),
        migrations.RunSQL(APPEND_ONLY, migrations.RunSQL.noop),
    ]
