"""Bybit v5 spot over the venue-neutral core: paths, parameters, signatures, codes and shapes as Bybit has them.

Where Bybit's own behaviour is not documented, the choice made here is listed in docs/simulator.md.
"""
