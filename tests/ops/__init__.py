"""Tests of what operators run beside the product: monitoring, containers, system services."""
