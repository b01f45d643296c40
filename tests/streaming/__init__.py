"""Event streams held open, in a real event loop with a real Redis; the ordinary door is scripted."""
