"""What came in and nothing explains yet, beside each snapshot. The snapshots of before had it among the gains."""

from decimal import Decimal

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0030_account_clock_measured_at"),
    ]

    operations = [
        migrations.AddField(
            model_name="equitysnapshot",
            name="unexplained",
            field=models.DecimalField(
                db_default=Decimal("0"),
                decimal_places=18,
                default=Decimal("0"),
                help_text="Worth of what came in and nothing explains yet: no gain until somebody says so.",
                max_digits=38,
            ),
        ),
        migrations.AlterField(
            model_name="equitysnapshot",
            name="transfers",
            field=models.DecimalField(
                decimal_places=18,
                default=Decimal("0"),
                help_text="Worth of all deposits less withdrawals up to here, what is unexplained included.",
                max_digits=38,
            ),
        ),
    ]
