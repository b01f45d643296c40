"""Limits for every scope with overrides, the versions that judged each order, and the memory of automatic halts.

What is approved keeps its approval: its one version becomes its set. Peaks of equity begin with what snapshots hold.
"""

from decimal import Decimal

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

NAME_THE_SET = """
UPDATE trading_order SET limits_versions = ARRAY[limits_version_id]
 WHERE limits_version_id IS NOT NULL AND status IN ('approved', 'awaiting_approval');
"""
# A peak counts only if three snapshots in a row reached it.
FIRST_PEAKS = """
INSERT INTO trading_equitypeak (account_id, day, equity, at)
SELECT account_id, (at AT TIME ZONE 'UTC')::date, max(confirmed), max(at)
  FROM (SELECT account_id, at, min(equity) OVER three AS confirmed, count(*) OVER three AS n
          FROM trading_equitysnapshot WHERE unpriced = '[]'::jsonb
        WINDOW three AS (PARTITION BY account_id ORDER BY at ROWS 2 PRECEDING)) AS s
 WHERE n = 3
 GROUP BY 1, 2;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0007_alerts"),
    ]

    operations = [
        migrations.CreateModel(
            name="EquityPeak",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField()),
                ("equity", models.DecimalField(decimal_places=18, max_digits=38)),
                ("at", models.DateTimeField()),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="LimitBand",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("limit", models.CharField(max_length=40)),
                ("scope", models.CharField(max_length=20)),
                ("target", models.CharField(blank=True, max_length=60)),
                ("band", models.IntegerField(default=0)),
                (
                    "share_pct",
                    models.DecimalField(
                        decimal_places=18,
                        help_text="In use when it was last looked at, in percent.",
                        max_digits=38,
                    ),
                ),
                ("since", models.DateTimeField()),
                ("looked_at", models.DateTimeField()),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="TriggerState",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("trigger", models.CharField(max_length=40)),
                ("scope", models.CharField(max_length=20)),
                ("target", models.CharField(blank=True, max_length=60)),
                ("looks", models.JSONField(default=list, help_text="The last verdicts, the newest last.")),
                ("observed", models.CharField(blank=True, max_length=300)),
                ("limit", models.CharField(blank=True, max_length=60)),
                ("evaluated_at", models.DateTimeField()),
                ("fired_at", models.DateTimeField(null=True)),
                ("is_armed", models.BooleanField(default=True)),
                ("resting_until", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["trigger", "scope", "target"],
                "default_permissions": (),
            },
        ),
        migrations.AddField(
            model_name="exchangeaccount",
            name="clock_offset_seconds",
            field=models.DecimalField(
                blank=True,
                decimal_places=3,
                editable=False,
                help_text="The venue's clock less this host's, at the last sync.",
                max_digits=12,
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="limitsversion",
            name="approved_by",
            field=models.CharField(
                blank=True, help_text="The second person, where one was needed.", max_length=150
            ),
        ),
        migrations.AddField(
            model_name="limitsversion",
            name="expires_at",
            field=models.DateTimeField(
                blank=True,
                help_text="An override holds until then; empty: until the next version.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="limitsversion",
            name="max_daily_loss_usd",
            field=models.DecimalField(
                blank=True,
                decimal_places=18,
                help_text="Loss of the day: denies, and halts the scope. Empty: no limit.",
                max_digits=38,
                null=True,
                validators=[django.core.validators.MinValueValidator(0)],
            ),
        ),
        migrations.AddField(
            model_name="limitsversion",
            name="max_drawdown_pct",
            field=models.DecimalField(
                blank=True,
                decimal_places=18,
                help_text="Fall from the highest equity of thirty days: denies, and halts the scope. Empty: no limit.",
                max_digits=38,
                null=True,
                validators=[
                    django.core.validators.MinValueValidator(0),
                    django.core.validators.MaxValueValidator(100),
                ],
            ),
        ),
        migrations.AddField(
            model_name="limitsversion",
            name="max_in_doubt_notional",
            field=models.DecimalField(
                blank=True,
                decimal_places=18,
                help_text="What orders with an unknown outcome may be worth together before nothing new is opened. Empty: no limit.",
                max_digits=38,
                null=True,
                validators=[django.core.validators.MinValueValidator(0)],
            ),
        ),
        migrations.AddField(
            model_name="limitsversion",
            name="max_notional_per_minute",
            field=models.DecimalField(
                blank=True,
                decimal_places=18,
                help_text="What the orders of sixty seconds may be worth together. Empty: no limit.",
                max_digits=38,
                null=True,
                validators=[django.core.validators.MinValueValidator(0)],
            ),
        ),
        migrations.AddField(
            model_name="limitsversion",
            name="max_order_quantity",
            field=models.DecimalField(
                blank=True,
                decimal_places=18,
                help_text="The most base units one order may ask for. Best set per instrument. Empty: no limit.",
                max_digits=38,
                null=True,
                validators=[django.core.validators.MinValueValidator(0)],
            ),
        ),
        migrations.AddField(
            model_name="limitsversion",
            name="max_order_to_fill_ratio",
            field=models.DecimalField(
                blank=True,
                decimal_places=18,
                help_text="Orders of the last ten minutes for each of them that had a fill; judged from the twentieth order on. Empty: no limit.",
                max_digits=38,
                null=True,
                validators=[django.core.validators.MinValueValidator(0)],
            ),
        ),
        migrations.AddField(
            model_name="limitsversion",
            name="max_price_gap_pct",
            field=models.DecimalField(
                blank=True,
                decimal_places=18,
                help_text="How far the last price may be outside of best bid and ask before neither is believed. Empty: no limit.",
                max_digits=38,
                null=True,
                validators=[django.core.validators.MinValueValidator(0)],
            ),
        ),
        migrations.AddField(
            model_name="limitsversion",
            name="max_repeated_executions",
            field=models.IntegerField(
                blank=True,
                help_text="Orders of a strategy since a person last enabled it; the next one disables the strategy. Empty: no limit.",
                null=True,
                validators=[django.core.validators.MinValueValidator(0)],
            ),
        ),
        migrations.AddField(
            model_name="order",
            name="limits_versions",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(),
                blank=True,
                default=list,
                help_text="Every version that judged it, of all scopes, in ascending order.",
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="strategy",
            name="enabled_at",
            field=models.DateTimeField(
                blank=True,
                editable=False,
                help_text="When a person last enabled it; its executions count from then.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="limitsversion",
            name="duplicate_window_seconds",
            field=models.DecimalField(
                blank=True,
                decimal_places=18,
                default=Decimal("0"),
                help_text="The same order again within this time is denied. 0: off.",
                max_digits=38,
                null=True,
                validators=[django.core.validators.MinValueValidator(0)],
            ),
        ),
        migrations.AlterField(
            model_name="limitsversion",
            name="exposure_limit_symbol",
            field=models.DecimalField(
                blank=True,
                decimal_places=18,
                help_text="The most one symbol may have at risk, everything that may still fill included. Empty: no limit.",
                max_digits=38,
                null=True,
                validators=[django.core.validators.MinValueValidator(0)],
            ),
        ),
        migrations.AlterField(
            model_name="limitsversion",
            name="kill_threshold_usd",
            field=models.DecimalField(
                blank=True,
                decimal_places=18,
                help_text="Held exposure above this halts the scope by itself. Empty: no limit.",
                max_digits=38,
                null=True,
                validators=[django.core.validators.MinValueValidator(0)],
            ),
        ),
        migrations.AlterField(
            model_name="limitsversion",
            name="max_balance_age_seconds",
            field=models.DecimalField(
                blank=True,
                decimal_places=18,
                default=Decimal("60"),
                help_text="Older balances, or older books, deny.",
                max_digits=38,
                null=True,
                validators=[django.core.validators.MinValueValidator(0)],
            ),
        ),
        migrations.AlterField(
            model_name="limitsversion",
            name="max_concurrent_positions",
            field=models.IntegerField(
                blank=True,
                help_text="Positions open at the same time; an order that may open one counts. Empty: no limit.",
                null=True,
                validators=[django.core.validators.MinValueValidator(0)],
            ),
        ),
        migrations.AlterField(
            model_name="limitsversion",
            name="max_daily_loss_pct",
            field=models.DecimalField(
                blank=True,
                decimal_places=18,
                help_text="Loss of the day in percent of its first equity: denies, and halts the scope. Empty: no limit.",
                max_digits=38,
                null=True,
                validators=[
                    django.core.validators.MinValueValidator(0),
                    django.core.validators.MaxValueValidator(100),
                ],
            ),
        ),
        migrations.AlterField(
            model_name="limitsversion",
            name="max_open_orders",
            field=models.IntegerField(
                blank=True,
                help_text="Orders approved, in flight, in doubt or open at the same time. Empty: no limit.",
                null=True,
                validators=[django.core.validators.MinValueValidator(0)],
            ),
        ),
        migrations.AlterField(
            model_name="limitsversion",
            name="max_orders_per_minute",
            field=models.IntegerField(
                blank=True,
                help_text="Orders within sixty seconds, denied ones left out. Empty: no limit.",
                null=True,
                validators=[django.core.validators.MinValueValidator(0)],
            ),
        ),
        migrations.AlterField(
            model_name="limitsversion",
            name="max_price_age_seconds",
            field=models.DecimalField(
                blank=True,
                decimal_places=18,
                default=Decimal("30"),
                help_text="An older last price denies.",
                max_digits=38,
                null=True,
                validators=[django.core.validators.MinValueValidator(0)],
            ),
        ),
        migrations.AlterField(
            model_name="limitsversion",
            name="price_collar_pct",
            field=models.DecimalField(
                blank=True,
                decimal_places=18,
                help_text="How far a limit price, or the price of a signal, may be from the last price. Empty: no limit.",
                max_digits=38,
                null=True,
                validators=[django.core.validators.MinValueValidator(0)],
            ),
        ),
        migrations.AlterField(
            model_name="order",
            name="limits_version",
            field=models.ForeignKey(
                blank=True,
                help_text="The limits for everything.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                to="trading.limitsversion",
            ),
        ),
        migrations.AddConstraint(
            model_name="limitsversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("scope", "everything"), ("target", "")),
                    models.Q(
                        models.Q(("scope", "everything"), _negated=True),
                        models.Q(("target", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="limits_target_named",
            ),
        ),
        migrations.AddConstraint(
            model_name="limitsversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("scope", "everything"), _negated=True),
                    models.Q(
                        ("duplicate_window_seconds__isnull", False),
                        ("max_balance_age_seconds__isnull", False),
                        ("max_price_age_seconds__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="limits_ages_set",
            ),
        ),
        migrations.AddConstraint(
            model_name="limitsversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("expires_at__isnull", True),
                    ("expires_at__gt", models.F("effective_at")),
                    _connector="OR",
                ),
                name="limits_expire_later",
            ),
        ),
        migrations.AddField(
            model_name="equitypeak",
            name="account",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="peaks",
                to="trading.exchangeaccount",
            ),
        ),
        migrations.AddConstraint(
            model_name="limitband",
            constraint=models.UniqueConstraint(fields=("limit", "scope", "target"), name="limit_band_once"),
        ),
        migrations.AddConstraint(
            model_name="triggerstate",
            constraint=models.UniqueConstraint(
                fields=("trigger", "scope", "target"), name="trigger_state_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="equitypeak",
            constraint=models.UniqueConstraint(fields=("account", "day"), name="equity_peak_once_a_day"),
        ),
        migrations.RunSQL(NAME_THE_SET, migrations.RunSQL.noop),
        migrations.RunSQL(FIRST_PEAKS, migrations.RunSQL.noop),
    ]
