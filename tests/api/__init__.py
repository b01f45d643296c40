"""The REST API over the real stack: URLconf, authentication, database. No HTTP server is needed for it."""
