"""Algos and their children: states that only move as the table says, children that are written once, and who may."""

import django.db.models.deletion
from django.db import migrations, models

import trading.domain.enums
import trading.models.columns

# Frozen here as it was; a test compares it with `domain.algo_states.ALGO_TRANSITIONS`.
MOVES = {
    "running": "canceling completed expired paused",
    "paused": "canceling completed running",
    "canceling": "canceled completed",
}
_PAIRS = ", ".join(f"('{before}','{after}')" for before, afters in MOVES.items() for after in afters.split())
GUARDS = f"""
CREATE FUNCTION levi_guard_algo() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN ({_PAIRS}) THEN
        RAISE EXCEPTION 'illegal algo transition: % to % (algo %)', OLD.state, NEW.state, OLD.id
            USING ERRCODE = 'check_violation';
    END IF;
    IF (NEW.account_id, NEW.instrument_id, NEW.side, NEW.quantity, NEW.plan, NEW.price, NEW.reduce_only)
       IS DISTINCT FROM
       (OLD.account_id, OLD.instrument_id, OLD.side, OLD.quantity, OLD.plan, OLD.price, OLD.reduce_only) THEN
        RAISE EXCEPTION 'what an algo was started with never changes (algo %)', OLD.id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_algo BEFORE UPDATE ON trading_algo FOR EACH ROW EXECUTE FUNCTION levi_guard_algo();
CREATE TRIGGER refuse_rows BEFORE DELETE ON trading_algo
    FOR EACH ROW EXECUTE FUNCTION levi_refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON trading_algo
    FOR EACH STATEMENT EXECUTE FUNCTION levi_refuse_change();
CREATE TRIGGER refuse_rows BEFORE UPDATE OR DELETE ON trading_algochild
    FOR EACH ROW EXECUTE FUNCTION levi_refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON trading_algochild
    FOR EACH STATEMENT EXECUTE FUNCTION levi_refuse_change();
ALTER TABLE trading_algo ENABLE ALWAYS TRIGGER guard_algo;
ALTER TABLE trading_algo ENABLE ALWAYS TRIGGER refuse_rows;
ALTER TABLE trading_algo ENABLE ALWAYS TRIGGER refuse_truncate;
ALTER TABLE trading_algochild ENABLE ALWAYS TRIGGER refuse_rows;
ALTER TABLE trading_algochild ENABLE ALWAYS TRIGGER refuse_truncate;
"""
RIGHTS = {
    "viewer": ("view_algo",),
    "trader": ("view_algo", "start_algo", "stop_algo"),
    "risk": ("view_algo", "stop_algo"),
    "admin": ("view_algo",),
}


def give_rights(apps, schema_editor):
    content_type, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label="trading", model="algo"
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
        ("trading", "0038_account_stream"),
    ]

    operations = [
        migrations.CreateModel(
            name="Algo",
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
                    "kind",
                    models.CharField(
                        choices=[("twap", "twap"), ("vwap", "vwap"), ("iceberg", "iceberg")], max_length=10
                    ),
                ),
                ("actor", models.CharField(help_text="Who or what asked for it.", max_length=150)),
                ("request_id", models.CharField(blank=True, max_length=64)),
                ("side", models.CharField(choices=[("BUY", "BUY"), ("SELL", "SELL")], max_length=4)),
                (
                    "quantity",
                    models.DecimalField(
                        decimal_places=18, help_text="Base units, in whole lots.", max_digits=38
                    ),
                ),
                (
                    "price",
                    models.DecimalField(
                        decimal_places=18,
                        help_text="The worst that is accepted; an iceberg rests at it.",
                        max_digits=38,
                        null=True,
                    ),
                ),
                ("reduce_only", models.BooleanField(default=False)),
                (
                    "visible_quantity",
                    models.DecimalField(
                        decimal_places=18,
                        help_text="Of an iceberg: base units of one child.",
                        max_digits=38,
                        null=True,
                    ),
                ),
                (
                    "plan",
                    models.JSONField(
                        default=list, help_text="Seconds of the algo's clock and cumulative quantity."
                    ),
                ),
                (
                    "profile_source",
                    models.CharField(
                        blank=True, help_text="Where a VWAP's weights are from.", max_length=200
                    ),
                ),
                (
                    "arrival_price",
                    models.DecimalField(
                        decimal_places=18,
                        help_text="The last price when it was started.",
                        max_digits=38,
                        null=True,
                    ),
                ),
                ("start_at", models.DateTimeField()),
                (
                    "duration_seconds",
                    models.IntegerField(help_text="Empty: an iceberg without an end.", null=True),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("denied", "denied"),
                            ("running", "running"),
                            ("paused", "paused"),
                            ("canceling", "canceling"),
                            ("completed", "completed"),
                            ("canceled", "canceled"),
                            ("expired", "expired"),
                        ],
                        max_length=10,
                    ),
                ),
                ("state_reason", models.CharField(blank=True, max_length=300)),
                ("state_since", models.DateTimeField()),
                (
                    "waiting_for",
                    models.CharField(
                        blank=True, help_text="While it lives: why nothing happens now.", max_length=300
                    ),
                ),
                (
                    "pauses",
                    models.JSONField(
                        default=list,
                        help_text="From and to, of the pauses that are over: its clock stood.",
                    ),
                ),
                ("epoch", models.BigIntegerField(help_text="The halt epoch it was started or resumed in.")),
                (
                    "forgiven",
                    models.IntegerField(
                        default=0, help_text="Children up to this number are not held against it."
                    ),
                ),
                ("checks", models.JSONField(default=list, help_text="What was asked before it was started.")),
                (
                    "codes",
                    models.JSONField(default=list, help_text="The denial codes; empty when it was started."),
                ),
                ("source", models.CharField(max_length=160)),
                ("key", models.CharField(max_length=200)),
                ("body_hash", models.CharField(max_length=64)),
                ("body", models.JSONField()),
                ("answer", models.JSONField(default=dict)),
                ("created_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
                ("next_action_at", models.DateTimeField(help_text="When it is looked at again.", null=True)),
            ],
            options={
                "ordering": ["-created_at", "-id"],
                "permissions": [
                    ("start_algo", "Can start and resume algos"),
                    ("stop_algo", "Can pause and cancel algos"),
                ],
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="AlgoChild",
            fields=[
                (
                    "order",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="algo_child",
                        serialize=False,
                        to="trading.order",
                    ),
                ),
                ("number", models.IntegerField(help_text="Counted from 1, without a gap.")),
                ("slice", models.IntegerField(help_text="Of the plan, from 0; an iceberg's are all 0.")),
                ("at", models.DateTimeField()),
            ],
            options={
                "ordering": ["algo", "number"],
                "default_permissions": (),
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
                    ("algo", "algo"),
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
                    ("origin__in", ["signal", "api", "panel", "sdk", "flatten", "algo", "orphan", "external"])
                ),
                name="order_origin_known",
            ),
        ),
        migrations.AddField(
            model_name="algo",
            name="account",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="algos",
                to="trading.exchangeaccount",
            ),
        ),
        migrations.AddField(
            model_name="algo",
            name="instrument",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="algos", to="trading.instrument"
            ),
        ),
        migrations.AddField(
            model_name="algo",
            name="strategy",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="algos",
                to="trading.strategy",
            ),
        ),
        migrations.AddField(
            model_name="algochild",
            name="algo",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="children", to="trading.algo"
            ),
        ),
        migrations.AddIndex(
            model_name="algo",
            index=models.Index(fields=["-created_at", "-id"], name="algo_by_time"),
        ),
        migrations.AddIndex(
            model_name="algo",
            index=models.Index(
                condition=models.Q(
                    (
                        "state__in",
                        [
                            trading.domain.enums.AlgoState["CANCELING"],
                            trading.domain.enums.AlgoState["PAUSED"],
                            trading.domain.enums.AlgoState["RUNNING"],
                        ],
                    )
                ),
                fields=["next_action_at"],
                name="algo_to_advance",
            ),
        ),
        migrations.AddConstraint(
            model_name="algo",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["twap", "vwap", "iceberg"])), name="algo_kind_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="algo",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        ["denied", "running", "paused", "canceling", "completed", "canceled", "expired"],
                    )
                ),
                name="algo_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="algo",
            constraint=models.CheckConstraint(
                condition=models.Q(("side__in", ["BUY", "SELL"])), name="algo_side_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="algo",
            constraint=models.UniqueConstraint(fields=("source", "key"), name="algo_once"),
        ),
        migrations.AddConstraint(
            model_name="algo",
            constraint=models.CheckConstraint(
                condition=models.Q(("quantity__gt", 0)), name="algo_quantity_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="algo",
            constraint=models.CheckConstraint(
                condition=models.Q(("price__isnull", True), ("price__gt", 0), _connector="OR"),
                name="algo_price_positive",
            ),
        ),
        migrations.AddConstraint(
            model_name="algo",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "iceberg"), _negated=True),
                    models.Q(("price__isnull", False), ("visible_quantity__gt", 0)),
                    _connector="OR",
                ),
                name="algo_iceberg_is_complete",
            ),
        ),
        migrations.AddConstraint(
            model_name="algo",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind", "iceberg"), ("duration_seconds__gt", 0), _connector="OR"),
                name="algo_schedule_has_end",
            ),
        ),
        migrations.AddConstraint(
            model_name="algochild",
            constraint=models.UniqueConstraint(fields=("algo", "number"), name="algo_child_once"),
        ),
        migrations.RunSQL(GUARDS, "DROP FUNCTION IF EXISTS levi_guard_algo CASCADE;"),
        migrations.RunPython(give_rights, migrations.RunPython.noop),
    ]
