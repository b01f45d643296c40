"""Nothing of what an algo was started with ever changes: not its end, its weights' source, its answer or who asked."""

from django.db import migrations

# Frozen here as it was; a test compares it with `domain.algo_states.ALGO_TRANSITIONS`.
MOVES = {
    "running": "canceling completed expired paused",
    "paused": "canceling completed running",
    "canceling": "canceled completed",
}
_PAIRS = ", ".join(f"('{before}','{after}')" for before, afters in MOVES.items() for after in afters.split())
FIRST = ("account_id", "instrument_id", "side", "quantity", "plan", "price", "reduce_only")
FIXED = (
    *FIRST,
    "kind",
    "strategy_id",
    "actor",
    "request_id",
    "visible_quantity",
    "profile_source",
    "arrival_price",
    "start_at",
    "duration_seconds",
    "checks",
    "codes",
    "source",
    "key",
    "body_hash",
    "body",
    "answer",
    "created_at",
)


def guard(columns):
    new, old = (", ".join(f"{row}.{name}" for name in columns) for row in ("NEW", "OLD"))
    return f"""
CREATE OR REPLACE FUNCTION levi_guard_algo() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN ({_PAIRS}) THEN
        RAISE EXCEPTION 'illegal algo transition: % to % (algo %)', OLD.state, NEW.state, OLD.id
            USING ERRCODE = 'check_violation';
    END IF;
    IF ({new})
       IS DISTINCT FROM
       ({old}) THEN
        RAISE EXCEPTION 'what an algo was started with never changes (algo %)', OLD.id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0052_further_venues"),
    ]

    operations = [migrations.RunSQL(guard(FIXED), guard(FIRST))]
