"""MEXC spot v3 over the venue-neutral core: paths, parameters, signatures, codes and shapes as MEXC has them.

Where MEXC's own behaviour is not documented, the choice made here is listed in docs/simulator.md.
"""
