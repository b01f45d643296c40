"""The whole product as `manage.py up` runs it: real processes, judged by the simulated venue's ledger."""
