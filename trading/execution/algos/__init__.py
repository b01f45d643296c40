"""TWAP, VWAP and iceberg: parents that split a quantity into child orders by a plan. In the order of their lives:

    parsing.py    1  body -> AlgoRequest
    planning.py   2  request -> plan on the venue's grid, and the largest child of it
    starting.py   3  the rules are asked about one child and about the whole -> a durable parent, one per key
    running.py    4  a due algo takes the one next move (domain.algo_moves)
    children.py   5  a child is made: an ordinary order, under its parent's lock, once per number
    steering.py   ☝  pause, resume, cancel
    halting.py    ✋  an algo that met a halt is paused, and stays so after the release

The state of an algo changes in `execution.algo_changes` only. Nothing here talks to a venue inside a transaction, sends
an order itself, or counts what is not proven ended as free to be ordered again.
"""

from .starting import AlgoAnswer, preview_algo, start_algo
from .steering import cancel_algo, pause_algo, resume_algo

__all__ = ["AlgoAnswer", "cancel_algo", "pause_algo", "preview_algo", "resume_algo", "start_algo"]
