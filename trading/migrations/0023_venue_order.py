"""Positions in the venue's order: what is derived of a fill may follow a late one, and nothing else of it may change."""

from django.db import migrations, models

FACTS_STAY = """
CREATE FUNCTION levi_guard_fill() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    kept trading_fill%ROWTYPE := NEW;
BEGIN
    kept.realized_pnl := OLD.realized_pnl;
    kept.average_after := OLD.average_after;
    IF kept IS DISTINCT FROM OLD THEN
        RAISE EXCEPTION 'what the venue said of a fill never changes (fill %)', OLD.id
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER refuse_rows ON trading_fill;
CREATE TRIGGER refuse_rows BEFORE DELETE ON trading_fill FOR EACH ROW EXECUTE FUNCTION levi_refuse_change();
CREATE TRIGGER guard_fill BEFORE UPDATE ON trading_fill FOR EACH ROW EXECUTE FUNCTION levi_guard_fill();
ALTER TABLE trading_fill ENABLE ALWAYS TRIGGER refuse_rows;
ALTER TABLE trading_fill ENABLE ALWAYS TRIGGER guard_fill;
"""
NOTHING_CHANGES = """
DROP TRIGGER guard_fill ON trading_fill;
DROP TRIGGER refuse_rows ON trading_fill;
CREATE TRIGGER refuse_rows BEFORE UPDATE OR DELETE ON trading_fill
    FOR EACH ROW EXECUTE FUNCTION levi_refuse_change();
ALTER TABLE trading_fill ENABLE ALWAYS TRIGGER refuse_rows;
DROP FUNCTION levi_guard_fill;
"""
NEWEST = """
UPDATE trading_position AS p SET newest_fill_at = n.filled_at, newest_fill = n.venue_fill_id
  FROM (SELECT DISTINCT ON (account_id, instrument_id) account_id, instrument_id, filled_at, venue_fill_id
          FROM trading_fill
         ORDER BY account_id, instrument_id, filled_at DESC, length(venue_fill_id) DESC, venue_fill_id COLLATE "C" DESC) n
 WHERE p.account_id = n.account_id AND p.instrument_id = n.instrument_id
"""


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0022_equity_by_time"),
    ]

    operations = [
        migrations.AddField(
            model_name="fill",
            name="average_after",
            field=models.DecimalField(
                decimal_places=18,
                help_text="The position's average price after this fill. Derived.",
                max_digits=38,
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="fill",
            name="realized_pnl",
            field=models.DecimalField(
                decimal_places=18,
                help_text="In quote units, before fees: what this fill closed. Derived.",
                max_digits=38,
            ),
        ),
        migrations.AddField(
            model_name="position",
            name="newest_fill",
            field=models.CharField(blank=True, default="", max_length=120),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="position",
            name="newest_fill_at",
            field=models.DateTimeField(help_text="The last fill by the venue's time.", null=True),
        ),
        migrations.RunSQL(FACTS_STAY, NOTHING_CHANGES),
        migrations.RunSQL(NEWEST, migrations.RunSQL.noop),
    ]
