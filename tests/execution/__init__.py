"""Tests of trading.execution, stage by stage."""
