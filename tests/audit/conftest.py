"""Every test of the order path may have a world."""

from tests.worlds import frozen_venue, impatient, live_world, world

__all__ = ["frozen_venue", "impatient", "live_world", "world"]
