"""The tests; folders mirror the code. Servers and fixtures stand in servers.py, resetting.py and conftest.py."""
