"""The large data set: 1,000,000 orders, 3,000,000 fills, 5,000,000 audit entries and what belongs to them.

Made by the database itself, with indexes, foreign keys and guards taken off while it fills and put back afterwards;
then reused. The rows are shaped like real ones (times, statuses, symbols), their content is arithmetic.
LEVI_BENCH_SHARE makes a smaller one, such as 0.2 of each table.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

DAYS = 30
_SHARE = float(os.environ.get("LEVI_BENCH_SHARE", "1"))
_WHOLE = {
    "signal": 500_000,
    "order": 1_000_000,
    "fill": 3_000_000,
    "auditentry": 5_000_000,
    "equity": 400_000,
    "algo": 20_000,
    "algochild": 300_000,
}
SIZES = {name: int(rows * _SHARE) for name, rows in _WHOLE.items()}
# The last algo is the largest that can be: so many slices, with a child each. The others have fifteen.
MOST_SLICES, USUAL_SLICES = 500, 15
SYMBOLS = ("BTC/USDT", "ETH/USDT", "SOL/USDT", "XRP/USDT", "DOGE/USDT", "ADA/USDT")
_ID = "('{:08x}-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid"
_AT = f"now() - interval '{DAYS} days' * (1 - i::float8 / {{rows}})"


def made_id(family: int) -> str:
    return _ID.format(family)


_STATUS = """(CASE WHEN i > {rows} - 40 THEN 'open' WHEN i > {rows} - 44 THEN 'in_doubt' WHEN i % 23 = 0 THEN 'denied'
 WHEN i % 11 = 0 THEN 'canceled' WHEN i % 97 = 0 THEN 'rejected' ELSE 'filled' END)"""

STATEMENTS: dict[str, str] = {
    "signal": f"""INSERT INTO trading_signal (id, source, key, body_hash, body, actor, request_id, answer, received_at)
 SELECT {made_id(1)}, 'client:bench', 'k' || i, md5(i::text), jsonb_build_object('symbol', 'BTC/USDT', 'side', 'BUY',
        'quantity', '0.01'), 'client:bench', '', '{{{{"decision": "approved"}}}}'::jsonb, {_AT}
   FROM generate_series(1, {{rows}}) i""",
    "order": f"""INSERT INTO trading_order (id, account_id, instrument_id, origin, actor, request_id, side, order_type,
        time_in_force, quantity, price, reduce_only, exposure_quantity, reference_price, client_order_id,
        exchange_order_id, status, status_reason, cancel_state, filled_quantity, filled_notional, venue_filled_quantity,
        approved_at, approved_epoch, limits_version_id, limits_versions, expires_at, attempt, not_sent_count,
        permit_at, acknowledged_at, finished_at, window_ms, not_found_at, doubt_since, created_at, updated_at)
 SELECT {made_id(2)}, account, instruments[1 + i % 6], 'api', 'client:bench', '', CASE WHEN i % 2 = 0 THEN 'BUY'
        ELSE 'SELL' END, 'LIMIT', 'GTC', 0.01 + i % 7, 100 + i % 13, false, 0.01 + i % 7, 100, 'lv' || lpad(i::text, 20,
        '0'), 'x' || i, {_STATUS}, '', 'none', CASE WHEN {_STATUS} = 'filled' THEN 0.01 + i % 7 ELSE 0 END, 0, 0,
        {_AT}, 1, limits, ARRAY[limits], {_AT} + interval '1 minute', 1, 0, {_AT}, {_AT} + interval '20 ms',
        CASE WHEN {_STATUS} IN ('open', 'in_doubt') THEN NULL ELSE {_AT} + interval '300 ms' END, 2000, '[]',
        CASE WHEN {_STATUS} = 'in_doubt' THEN {_AT} END, {_AT}, {_AT}
   FROM generate_series(1, {{rows}}) i, (SELECT (SELECT id FROM trading_exchangeaccount LIMIT 1) AS account,
        (SELECT array_agg(id) FROM (SELECT id FROM trading_instrument
        ORDER BY symbol IN ('{"', '".join(SYMBOLS)}') DESC, id
        LIMIT 6) six) AS instruments, (SELECT max(version) FROM trading_limitsversion) AS limits) given""",
    "fill": f"""INSERT INTO trading_fill (account_id, instrument_id, order_id, venue_fill_id, side, price, quantity,
        notional, fee, fee_asset, is_maker, realized_pnl, filled_at, booked_at)
 SELECT o.account_id, o.instrument_id, o.id, 'f' || i, o.side, 100 + i % 13, 0.01, 1 + i % 13, 0.001, 'USDT', i % 2 = 0,
        0, {_AT}, {_AT} + interval '200 ms'
   FROM generate_series(1, {{rows}}) i
   JOIN trading_order o ON o.id = ('00000002-0000-7000-8000-' || lpad(to_hex((i + 2) / 3), 12, '0'))::uuid""",
    "auditentry": f"""INSERT INTO trading_auditentry (stream, sequence, at, kind, actor, object_type, object_id,
        request_id, data, previous_hash, hash)
 SELECT ('0000000a-0000-7000-8000-' || lpad(to_hex(i % 16), 12, '0'))::uuid, i, {_AT},
        (ARRAY['order.approved', 'order.submitting', 'order.open', 'fill.booked', 'order.filled'])[1 + i % 5],
        (ARRAY['client:bench', 'worker:orders', 'operator:anna'])[1 + i % 3], 'order',
        '00000002-0000-7000-8000-' || lpad(to_hex((i + 4) / 5), 12, '0'), '',
        jsonb_build_object('status', 'open', 'symbol', 'BTC/USDT', 'side', 'BUY'), md5(i::text) || md5((i + 1)::text),
        md5((i + 1)::text) || md5((i + 2)::text)
   FROM generate_series(1, {{rows}}) i""",
    "equity": f"""INSERT INTO trading_equitysnapshot (account_id, at, equity, cash, positions_value, exposure,
        daily_pnl, transfers, peak, unpriced)
 SELECT (SELECT id FROM trading_exchangeaccount LIMIT 1), {_AT}, 100000 + 500 * sin(i / 9000.0), 60000, 40000, 40000,
        300 * sin(i / 3000.0), 0, 100500, '[]' FROM generate_series(1, {{rows}}) i ON CONFLICT DO NOTHING""",
    "algo": f"""INSERT INTO trading_algo (id, kind, account_id, instrument_id, actor, request_id, side, quantity,
        reduce_only, plan, profile_source, arrival_price, start_at, duration_seconds, state, state_reason, waiting_for,
        state_since, pauses, epoch, forgiven, checks, codes, source, key, body_hash, body, answer, created_at,
        finished_at)
 SELECT {made_id(3)}, (ARRAY['twap', 'vwap'])[1 + i % 2], account, instruments[1 + i % 6], 'client:bench', '',
        CASE WHEN i % 2 = 0 THEN 'BUY' ELSE 'SELL' END, slices, false,
        (SELECT jsonb_agg(jsonb_build_object('after', (60 * (n - 1))::text, 'target', n::text) ORDER BY n)
           FROM generate_series(1, slices) n),
        '', 100, {_AT}, 60 * slices, CASE WHEN i > {{rows}} - 20 THEN 'paused' ELSE 'completed' END, '', '', {_AT},
        '[]', 1, 0, '[]', '[]', 'client:bench', 'k' || i, md5(i::text), '{{{{}}}}', '{{{{}}}}', {_AT},
        CASE WHEN i > {{rows}} - 20 THEN NULL ELSE {_AT} + interval '15 minutes' END
   FROM generate_series(1, {{rows}}) i
  CROSS JOIN LATERAL (SELECT CASE WHEN i = {{rows}} THEN {MOST_SLICES} ELSE {USUAL_SLICES} END AS slices) sized,
        (SELECT (SELECT id FROM trading_exchangeaccount LIMIT 1) AS account, (SELECT array_agg(id)
           FROM (SELECT id FROM trading_instrument ORDER BY symbol IN ('{"', '".join(SYMBOLS)}') DESC, id
           LIMIT 6) six) AS instruments) given""",
    "algochild": f"""INSERT INTO trading_algochild (order_id, algo_id, number, slice, at)
 SELECT {made_id(2)}, CASE WHEN i > {{rows}} - {MOST_SLICES} THEN {made_id(3).replace("i)", "algos)")} ELSE
        {made_id(3).replace("i)", f"1 + (i - 1) / {USUAL_SLICES})")} END, number, number - 1, {_AT}
   FROM generate_series(1, {{rows}}) i CROSS JOIN LATERAL (SELECT CASE WHEN i > {{rows}} - {MOST_SLICES}
        THEN i - {{rows}} + {MOST_SLICES} ELSE 1 + (i - 1) % {USUAL_SLICES} END AS number) numbered,
        (SELECT count(*)::int AS algos FROM trading_algo) counted""",
}
TABLES = {"equity": "trading_equitysnapshot"}


def table_of(name: str) -> str:
    return TABLES.get(name, f"trading_{name}")


def is_made(database: psycopg.Connection[Any], table: str, rows: int) -> bool:
    found = database.execute(f"SELECT count(*) FROM (SELECT FROM {table} LIMIT %s) found", [rows]).fetchone()
    return bool(found and found[0] >= rows)


def make(owner_url: str) -> None:
    """Takes minutes once and seconds where it is made already. A table is filled whole or not at all."""
    with psycopg.connect(owner_url, autocommit=True) as database:
        database.execute(
            "SET statement_timeout = 0; SET maintenance_work_mem = '512MB'; SET synchronous_commit = off"
        )
        missing = {
            name: rows
            for name, rows in SIZES.items()
            if not is_made(database, table_of(name), rows * 9 // 10)
        }
        for number, (name, rows) in enumerate(missing.items(), 1):
            began = time.monotonic()
            print(f"large set: {number} of {len(missing)}, {rows:,} rows of {name} …", flush=True)
            with database.transaction(), bare(database, table_of(name)):
                database.execute(STATEMENTS[name].format(rows=rows))
            print(f"large set: {name} in {time.monotonic() - began:.0f} s", flush=True)
        if missing:
            database.execute("VACUUM (ANALYZE)")


@contextmanager
def bare(database: psycopg.Connection[Any], table: str) -> Iterator[None]:
    """The table without indexes, foreign keys and the guard of new rows, while it is filled."""
    keys = database.execute(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'f'",
        [table],
    ).fetchall()
    indexes = database.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index LEFT JOIN pg_constraint c ON"
        " c.conindid = indexrelid WHERE indrelid = %s::regclass AND c.oid IS NULL",
        [table],
    ).fetchall()
    for name, _ in keys:
        database.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
    for name, _ in indexes:
        database.execute(f"DROP INDEX {name}")
    guard = table == "trading_order"
    if guard:
        database.execute("ALTER TABLE trading_order DISABLE TRIGGER guard_new_order")
    yield
    if guard:
        database.execute("ALTER TABLE trading_order ENABLE TRIGGER guard_new_order")
    for name, definition in keys:
        database.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')
    for _, definition in indexes:
        database.execute(definition)
