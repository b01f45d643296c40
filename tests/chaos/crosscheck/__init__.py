"""The double against the product: the same steps on both, and after each step the same rows.

    schedule.py    what one seed does: steps by their state, answers of a scripted venue, late, wrong and out of order
    double.py      one step on tests/chaos/virtual/protocol
    product.py     the same step on trading/execution and a real PostgreSQL
    compare.py     both ways to run, and where they differ

Time is virtual on both sides, also in SQL; the venue's answers are the same values for both. What is compared is every
column of an order that a decision reads, the halt states and the epoch after every step, and at the end positions,
fills, the path of statuses in the audit trail, sweeps and breaks.
"""
