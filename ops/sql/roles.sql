-- Rights of the application's own database role, levi_app: everything it needs to trade, nothing to rewrite history with.
--
-- Run by the owner of Levi's tables, in Levi's database, after each migration (`manage.py seed_first_run --migrate` does it
-- by itself where the role exists). Safe to repeat. The role itself is made once, by whoever may make roles:
--
--     CREATE ROLE levi_app LOGIN PASSWORD '…';
--
-- The owner migrates and is used for nothing else; all processes connect as levi_app. What levi_app may not do, whoever
-- takes over a process may not do either: change or delete entries, switch triggers off, drop or alter a table.

DO $$
BEGIN
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO levi_app', current_database());
    -- A temporary table could stand before a real one in a session's search path.
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC, levi_app', current_database());
END $$;

REVOKE CREATE ON SCHEMA public FROM PUBLIC, levi_app;
GRANT USAGE ON SCHEMA public TO levi_app;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM levi_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO levi_app;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO levi_app;

-- History: written once.
REVOKE UPDATE, DELETE ON
    trading_auditentry,
    trading_auditcheckpoint,
    trading_haltchange,
    trading_limitsversion,
    trading_decision,
    trading_orderevidence,
    trading_fill,
    trading_movement,
    trading_algochild
FROM levi_app;

-- What is derived of a fill follows when an earlier one arrives late; what the venue said of it stays.
GRANT UPDATE (realized_pnl, average_after) ON trading_fill TO levi_app;

-- Rows that change along their life and never disappear.
REVOKE DELETE ON
    trading_order,
    trading_orderattempt,
    trading_signal,
    trading_sweep,
    trading_break,
    trading_approvalrequest,
    trading_dailyreport,
    trading_algo
FROM levi_app;

-- Only the owner migrates.
REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM levi_app;
