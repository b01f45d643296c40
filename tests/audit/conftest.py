"""Every test here may have a world."""

from tests.worlds import dead_broker, frozen_venue, impatient, live_world, world

__all__ = ["dead_broker", "frozen_venue", "impatient", "live_world", "world"]
