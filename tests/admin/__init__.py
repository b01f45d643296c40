"""The panel: every screen, every role, and that looking never changes anything."""
