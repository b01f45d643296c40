"""Tests of the project's wiring: environment, configuration, logging, preflight, embedded servers, supervisor."""
