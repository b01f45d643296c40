"""Reads, named after the question they answer. Nothing here writes, and nothing here decides."""
