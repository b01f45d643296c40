"""The order and halt protocol under a virtual clock: thousands of hostile hours a minute, every one repeatable.

    kernel.py      clock, processes as generators, crash and pause
    locks.py       row locks and the halt lock, shared and exclusive
    store.py       the database: commits that are atomic, can be lost, or whose answer can be lost
    venue.py       the exchange: its journal is the oracle
    network.py     requests with loss and delay per direction
    scenario.py    what one seed means: orders, operators, faults, tunables
    families.py    corners where several bounds meet at once
    mutations.py   ways to break the protocol on purpose
    protocol/      the steps of trading/execution, one to one, on top of the real trading/domain
    run.py         one seed, run and judged
    world.py       puts a scenario together and runs it
    oracle.py      judges by the venue's journal and the final store
    story.py       shrinks a failing scenario and tells it
    algos.py       one algo and its runners, judged by G1 to G4 (algo_parts.py: its rows and transaction)
    campaign.py    many seeds on many cores, resumable

Nothing here reads a wall clock or global randomness: one `random.Random(seed)` drives a scenario.
"""
