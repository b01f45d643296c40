"""The campaign against the real thing: processes die, servers die, answers are lost, and the books must still be right.

lives.py   what a process does until it dies, and which failpoints lie on its way
"""
