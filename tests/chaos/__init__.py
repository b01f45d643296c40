"""Fault injection: the protocol under a virtual clock, and the real processes under kill and stop."""
