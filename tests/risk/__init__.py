"""Tests of the risk rules: pure functions of an order and the facts."""
