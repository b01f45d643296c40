"""The HTTP/1.1 server of the simulated venue, built so that it can misbehave on purpose."""
