"""The words, arithmetic and state of trading: pure Python.

Owns the vocabulary everything else speaks. Never imports Django, never reads a clock, never does I/O, never draws
randomness: every function here gives the same answer for the same arguments, in production and in simulation.
"""
