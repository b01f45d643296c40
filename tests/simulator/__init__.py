"""Tests of the simulated venue, over real HTTP wherever a client could tell the difference."""
