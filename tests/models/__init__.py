"""Tests of trading.models."""
