"""What the owner of a break acknowledged, in its own unit: its worth moves with every price and may be unknown."""

from django.db import migrations, models

# One that has grown since it was acknowledged keeps no number, and so acts again.
TAKEN = """
UPDATE trading_break SET taken_at_difference = coalesce(theirs, 0) - coalesce(ours, 0)
 WHERE state = 'acknowledged' AND (value IS NULL OR abs(value) <= abs(taken_at_value))
"""


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0023_venue_order"),
    ]

    operations = [
        migrations.AddField(
            model_name="break",
            name="taken_at_difference",
            field=models.DecimalField(
                decimal_places=18,
                help_text="What its owner acknowledged; growth acts again.",
                max_digits=38,
                null=True,
            ),
        ),
        migrations.RunSQL(TAKEN, migrations.RunSQL.noop),
        migrations.RemoveField(model_name="break", name="taken_at_value"),
    ]
