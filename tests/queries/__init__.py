"""Tests of trading.queries."""
