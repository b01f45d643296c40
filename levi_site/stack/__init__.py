"""The whole product under one command: embedded servers, process table, supervisor, first run.

Knows no Django and imports nothing of trading: it must start before there is a database, and stay small.
"""
