"""The venue-neutral exchange: instruments, prices, liquidity, accounts, matching, faults and journals.

Nothing here knows HTTP or any venue's wire format; the wire modules (`simulator.mexc`) translate.
"""
