"""Tests of the Binance adapter."""
