"""Binance spot v3 over the venue-neutral core: paths, parameters, signatures, filters, codes and shapes.

Where Binance's own behaviour is not documented, the choice made here is listed in docs/simulator-binance.md.
"""
