"""The simulated venues: a separate program that speaks the real venues' wire formats.

Start it with ``python -m simulator``. It owns a complete small exchange (prices, book, accounts, ledger) whose
ledger is the truth that the product is compared against. It imports nothing of the product and the product imports
nothing of it, except that tests and benchmarks may use `simulator.testing` to start it.
"""
