"""The rate limits of all processes together, kept in Redis by one Lua script.

The script runs as one step and takes the time from Redis, so neither a race nor two clocks can overdraw a bucket. Redis
may be lost at any moment: a failed or slow call (more than about 0.1 s) hands over to the local limiter, which is
poorer but never says never, and Redis is tried again every two seconds. Nothing here raises for Redis.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, cast

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from .clock import boot_seconds
from .limiter import Bucket, Charge, Grant, LocalLimiter, Reading, WaitingLimiter

logger = logging.getLogger(__name__)

_REDIS_SECONDS = 0.1
_PROBE_SECONDS = 2.0
_PREFIX = "levi:rate"

# KEYS: closure, then one per bucket. ARGV: urgent (1/0), then capacity, rate, reserve, cost per bucket, in thousandths.
# Returns granted, milliseconds to wait, milliseconds closed, then each bucket's level.
_ACQUIRE = """
local closed = redis.call('PTTL', KEYS[1])
if closed > 0 then return {0, 0, closed} end
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local wait, levels = 0, {}
for i = 2, #KEYS do
  local at_arg = (i - 2) * 4 + 2
  local capacity, rate = tonumber(ARGV[at_arg]), tonumber(ARGV[at_arg + 1])
  local keep = ARGV[1] == '1' and 0 or tonumber(ARGV[at_arg + 2])
  local saved = redis.call('HMGET', KEYS[i], 'level', 'at')
  local level = tonumber(saved[1] or '') or capacity
  local at = tonumber(saved[2] or '') or now
  level = math.min(capacity, level + math.max(0, now - at) * rate / 1000000)
  -- A charge larger than the bucket waits for a full bucket and leaves a debt.
  local need = math.min(tonumber(ARGV[at_arg + 3]), capacity - keep) + keep
  if level < need then wait = math.max(wait, math.ceil((need - level) * 1000 / rate)) end
  levels[i] = level
end
local answer = {wait == 0 and 1 or 0, wait, 0}
for i = 2, #KEYS do
  local at_arg = (i - 2) * 4 + 2
  if wait == 0 then
    levels[i] = levels[i] - tonumber(ARGV[at_arg + 3])
    redis.call('HSET', KEYS[i], 'level', string.format('%.3f', levels[i]), 'at', string.format('%.0f', now))
    local full = (tonumber(ARGV[at_arg]) - levels[i]) * 1000 / tonumber(ARGV[at_arg + 1])
    redis.call('PEXPIRE', KEYS[i], math.ceil(full) + 60000)
  end
  answer[#answer + 1] = math.floor(levels[i])
end
return answer
"""

_BLOCK = """
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], '1', 'PX', ARGV[1]) end
return 1
"""


def _level(bucket: Bucket, saved: Sequence[bytes | None], now: int) -> int:
    """As the script computes it. A bucket nobody used for a while is full."""
    level, at = saved
    if level is None or at is None:
        return bucket.capacity
    gained = max(0, now - int(at)) * bucket.rate // 1_000_000
    return min(bucket.capacity, int(Decimal(level.decode())) + gained)


class SharedLimiter(WaitingLimiter):
    """Give every process one of these with the same URL. Connects at the first use, hence after fork."""

    def __init__(self, redis_url: str) -> None:
        self._client = redis.Redis.from_url(
            redis_url,
            socket_timeout=_REDIS_SECONDS,
            socket_connect_timeout=_REDIS_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        self._acquire = self._client.register_script(_ACQUIRE)
        self._block = self._client.register_script(_BLOCK)
        self._local = LocalLimiter()
        self._lock = threading.Lock()
        self._ask_again_at = 0.0

    @property
    def is_shared(self) -> bool:
        """False while this process limits itself alone."""
        return self._ask_again_at == 0.0

    def try_acquire(self, scope: str, charges: Sequence[Charge], urgent: bool) -> Grant:
        blocked = self._local.blocked_seconds(scope)
        if blocked > 0:
            return Grant(False, blocked_seconds=blocked)
        if self._may_ask():
            try:
                return self._ask(scope, charges, urgent)
            except (redis.RedisError, OSError) as error:
                self._fall_back(error)
        return self._local.try_acquire(scope, charges, urgent)

    def block(self, scope: str, seconds: float) -> None:
        """First here, then for everybody: the process that was told must stop even if Redis is away."""
        self._local.block(scope, seconds)
        try:
            self._block(keys=[f"{_PREFIX}:{scope}:closed"], args=[max(1, round(seconds * 1000))])
        except (redis.RedisError, OSError) as error:
            self._fall_back(error)

    def blocked_seconds(self, scope: str) -> float:
        return self._local.blocked_seconds(scope)

    def look(self, scope: str, buckets: Sequence[Bucket]) -> Reading | None:
        """A failure is told by None and changes nothing about how requests are limited."""
        pipe = self._client.pipeline(transaction=False)
        pipe.time()
        pipe.pttl(f"{_PREFIX}:{scope}:closed")
        for bucket in buckets:
            pipe.hmget(f"{_PREFIX}:{bucket.key}", "level", "at")
        try:
            (seconds, micros), closed_ms, *saved = pipe.execute()
        except (redis.RedisError, OSError):
            return None
        now = seconds * 1_000_000 + micros
        levels = tuple(_level(bucket, pair, now) for bucket, pair in zip(buckets, saved, strict=True))
        return Reading(levels, max(0, closed_ms) / 1000)

    def _ask(self, scope: str, charges: Sequence[Charge], urgent: bool) -> Grant:
        keys = [f"{_PREFIX}:{scope}:closed"]
        args = [1 if urgent else 0]
        for charge in charges:
            keys.append(f"{_PREFIX}:{charge.bucket.key}")
            args += [charge.bucket.capacity, charge.bucket.rate, charge.bucket.reserve, charge.cost]
        answer = cast("list[int]", cast("Any", self._acquire(keys=keys, args=args)))
        self._ask_again_at = 0.0
        granted, wait_ms, closed_ms, *levels = answer
        names = [charge.bucket.name for charge in charges]
        # Levels are missing when the scope is closed.
        found = tuple(zip(names, levels, strict=False))
        return Grant(bool(granted), wait_ms / 1000, closed_ms / 1000, found)

    def _may_ask(self) -> bool:
        with self._lock:
            if boot_seconds() < self._ask_again_at:
                return False
            if self._ask_again_at:
                self._ask_again_at = boot_seconds() + _PROBE_SECONDS  # one prober at a time
            return True

    def _fall_back(self, error: Exception) -> None:
        with self._lock:
            was_shared, self._ask_again_at = self.is_shared, boot_seconds() + _PROBE_SECONDS
        if was_shared:
            kind = type(error).__name__  # the text may hold the URL with its password
            logger.warning("Rate limits are not shared now (%s): this process limits itself alone.", kind)
