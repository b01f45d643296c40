"""Levi's one Django app: everything the product knows about trading, in layers (see docs/architecture.md)."""
