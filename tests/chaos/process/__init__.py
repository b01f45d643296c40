"""The campaign against the real thing: processes die, servers die, answers are lost, and the books must still be right.

__main__.py     `python -m tests.chaos.process`: the parts in order, the table, the exit code
figures.py      a figure, its limit, whether it decides; the table and the file of finished parts

ground.py       servers, venue and a warmed process to fork from (ground_parts.py: its figures)
lives.py        what a process does until it dies, and which failpoints lie on its way
kills.py        thousands of forked processes, killed at failpoints while others carry on (carriers.py, forks.py)
doubts.py       unknown outcomes by the thousand, and what became of them
algos.py        parents of orders, their runners killed while persons stop and halt them (algo_oracle.py judges)
commits.py      a proxy that loses the answer to a COMMIT

stack_world.py  a whole `manage.py up` to be killed (stack_parts.py: its parts in order)
stack_*.py      its processes and servers killed, stopped and starved; halts; messages; a full disk; its secrets
engager.py      a process that engages and releases again and again

The stack, the oracle that judges it and the stories of its differences are `rig/`, which others share.
"""
