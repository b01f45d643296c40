"""Private streams, whatever the venue's format: connections, what is sent on them, faults, and their journal."""
