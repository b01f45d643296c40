"""Adapters to the venues: they know the domain and the wire, and no table.

`base` states the protocol and the policy of outcomes; `http` is the one line out; `limiter` the shared rate limits;
every venue has a folder with the same files. Nothing here decides whether to trade.
"""
