"""Bybit v5, category spot: the adapter, its wire format and its tables.

`client` is the Exchange; `line` signs and heeds the limits; `classify` decides what an answer means for an order;
`parse` and `instruments` read values; `constants` and `codes` hold the venue's facts with their sources; `stream` is
the private stream. Other products of the venue (derivatives, margin, earn) are never touched.
"""
