"""Tests of the adapter for Bybit, by module."""
