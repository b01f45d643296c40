"""The panel in a real browser: headless Chromium against a live server, a real database and a real simulated venue."""
