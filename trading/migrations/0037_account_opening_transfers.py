"""Which deposits and withdrawals the opening balances contain already, so that none of them explains a later difference."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0036_equity_unexplained"),
    ]

    operations = [
        migrations.AddField(
            model_name="exchangeaccount",
            name="opening_transfers",
            field=models.JSONField(
                blank=True,
                editable=False,
                help_text="Ids of the deposits and withdrawals that the opening balances contain; empty: not known.",
                null=True,
            ),
        ),
    ]
