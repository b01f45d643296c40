"""`manage.py soak`: two days of trading and of bad luck, packed, against a whole stack of its own; then the table.

options.py    what can be asked for; plan.py: what will happen when, from the seed alone
scene.py      the stack it runs on, and which ends of processes were planned
flow.py       the clients: signals, limit orders, cancels, repeats, webhooks, algos
kinds.py      the faults by name: weather.py (the venue), deaths.py (processes, servers), halting.py, prices.py
conductor.py  plays the faults when their time has come
watching.py   looks at the processes, the API and the halts while it runs
judging.py    compares with the venue's ledger and the books; memory.py, outcomes.py: two of its questions
lines.py      a line of the table, its verdict and its evidence; report.py: table and document
command.py    the run from start to end

Invariants: nothing is judged by what the product says of itself where the venue's ledger or the operating system can
be asked; what was not measured is not called passed. It never touches an installation that it has not made.
"""
