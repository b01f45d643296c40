"""Tests of the domain: words, arithmetic and state, without a database."""
