"""Tests of trading.audit."""
