"""A whole stack in a folder of its own, driven and judged from outside: by tests, campaigns, benchmarks, the soak run.

instance.py      one `manage.py up` on free ports: started, stopped, restarted, and what it left behind
driven.py        the same, with its kinds of processes to kill, its rows to read, and when it is calm again
panel_client.py  a client program of it; load.py: several of them at once
process_tree.py  which processes belong to it; roles.py: which part each plays and what it uses
oracle.py        the venue's ledger and the final rows, compared; torn.py: states no commit may leave behind
ledger.py        the same comparison through the API; stories.py: one difference, told from both sides
machine.py       on what a measurement ran

Of the product it knows the command line, the API and the tables, as an operator does. Nothing of the product knows it.
"""
