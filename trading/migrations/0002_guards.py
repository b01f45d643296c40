"""Guards in the database itself: legal order moves, and history that cannot be rewritten.

The table of moves is frozen here as it was; a test compares it with `domain.order_states.TRANSITIONS`.
"""

from django.db import migrations

MOVES = {
    "proposed": "approved awaiting_approval denied",
    "awaiting_approval": "approved denied lapsed",
    "approved": "lapsed submitting",
    "submitting": "approved canceled expired filled in_doubt not_accepted open partially_filled rejected",
    "in_doubt": "canceled expired filled not_accepted open partially_filled quarantined rejected",
    "quarantined": "canceled expired filled not_accepted open partially_filled rejected",
    "open": "canceled expired filled partially_filled rejected",
    "partially_filled": "canceled expired filled",
    "canceled": "filled",
    "expired": "filled",
    "rejected": "canceled expired filled open partially_filled",
    "not_accepted": "canceled expired filled open partially_filled",
}

_PAIRS = ", ".join(f"('{before}','{after}')" for before, afters in MOVES.items() for after in afters.split())

GUARD_ORDER = f"""
CREATE FUNCTION levi_guard_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN ({_PAIRS}) THEN
        RAISE EXCEPTION 'illegal order transition: % to % (order %)', OLD.status, NEW.status, OLD.id
            USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.client_order_id <> OLD.client_order_id OR NEW.attempt < OLD.attempt
       OR NEW.filled_quantity < OLD.filled_quantity OR NEW.venue_filled_quantity < OLD.venue_filled_quantity THEN
        RAISE EXCEPTION 'an order''s name, attempt and filled quantity never go back (order %)', OLD.id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_order BEFORE UPDATE ON trading_order FOR EACH ROW EXECUTE FUNCTION levi_guard_order();

CREATE FUNCTION levi_guard_new_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Only a foreign or lost order, found at the venue, may begin in the middle of its life.
    IF NEW.status NOT IN ('proposed', 'denied', 'awaiting_approval', 'approved')
       AND NEW.origin NOT IN ('external', 'orphan') THEN
        RAISE EXCEPTION 'an order cannot begin as % (order %)', NEW.status, NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_new_order BEFORE INSERT ON trading_order FOR EACH ROW EXECUTE FUNCTION levi_guard_new_order();
"""

REFUSE = """
CREATE FUNCTION levi_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
"""

APPEND_ONLY = (
    "trading_auditentry",
    "trading_haltchange",
    "trading_limitsversion",
    "trading_decision",
    "trading_orderevidence",
    "trading_fill",
)
# Rows that may change along their life, but never disappear.
NO_DELETE = ("trading_order", "trading_orderattempt", "trading_signal", "trading_sweep", "trading_break")


def _refuse(table: str, rows: str) -> str:
    return f"""
CREATE TRIGGER refuse_rows BEFORE {rows} ON {table} FOR EACH ROW EXECUTE FUNCTION levi_refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION levi_refuse_change();
ALTER TABLE {table} ENABLE ALWAYS TRIGGER refuse_rows;
ALTER TABLE {table} ENABLE ALWAYS TRIGGER refuse_truncate;
"""


class Migration(migrations.Migration):
    dependencies = [("trading", "0001_initial")]
    operations = [
        migrations.RunSQL(
            GUARD_ORDER,
            "DROP TRIGGER guard_order ON trading_order; DROP TRIGGER guard_new_order ON trading_order;"
            "DROP FUNCTION levi_guard_order; DROP FUNCTION levi_guard_new_order;",
        ),
        migrations.RunSQL(REFUSE, "DROP FUNCTION levi_refuse_change CASCADE;"),
        *(
            migrations.RunSQL(_refuse(table, "UPDATE OR DELETE"), migrations.RunSQL.noop)
            for table in APPEND_ONLY
        ),
        *(migrations.RunSQL(_refuse(table, "DELETE"), migrations.RunSQL.noop) for table in NO_DELETE),
    ]
