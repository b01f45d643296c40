"""The adapters against a real simulated venue, a raw socket and a real Redis."""
