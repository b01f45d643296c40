"""Holds event streams open: one reader of the hints per process, one coroutine per watcher. No Django in here."""
