"""The control interface under /_sim/: read the ledger, order faults, set prices and balances, reset."""
