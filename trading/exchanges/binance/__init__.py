"""Binance Spot v3: the adapter, its wire format and its tables.

`client` is the Exchange; `line` signs and heeds the limits; `classify` decides what an answer means for an order;
`parse` and `instruments` read values; `constants` and `codes` hold the venue's facts with their sources.
"""
