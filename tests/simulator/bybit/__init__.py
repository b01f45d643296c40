"""Tests of the simulated Bybit, over real HTTP and by its own rules of signing."""
