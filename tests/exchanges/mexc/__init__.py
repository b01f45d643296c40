"""The MEXC adapter: pure tables and parsers first, then the client over HTTP."""
