"""Every request the simulated venue received, with times, in a bounded journal that does not grow in memory.

Entries are lines in an unlinked temporary file with only their offsets in memory; two generations of it are kept, so
the newest 100,000 to 200,000 entries can be read. Secrets and signatures never reach it.
"""

from __future__ import annotations

import json
import tempfile
from array import array
from collections import Counter
from collections.abc import Iterator
from typing import IO, Any

GENERATION = 100_000


class _Generation:
    def __init__(self, first: int) -> None:
        self.first = first
        self.offsets = array("Q")
        self.file: IO[bytes] = tempfile.TemporaryFile(prefix="simulator-requests-")  # noqa: SIM115 - lives as long as the generation

    def append(self, line: bytes) -> None:
        self.offsets.append(self.file.seek(0, 2))
        self.file.write(line)

    def read(self, start: int, most: int) -> Iterator[bytes]:
        index = max(0, start - self.first)
        if index >= len(self.offsets):
            return
        self.file.seek(self.offsets[index])
        for _ in range(min(most, len(self.offsets) - index)):
            yield self.file.readline()


class RequestJournal:
    def __init__(self) -> None:
        self.last = 0
        self._generations: list[_Generation] = [_Generation(1)]
        self.by_status: Counter[str] = Counter()
        self.by_path: Counter[str] = Counter()

    def append(self, entry: dict[str, Any]) -> None:
        self.last += 1
        newest = self._generations[-1]
        if len(newest.offsets) >= GENERATION:
            newest = _Generation(self.last)
            for old in self._generations[:-1]:
                old.file.close()
            self._generations = [self._generations[-1], newest]
        newest.append(json.dumps({"seq": self.last, **entry}, separators=(",", ":")).encode() + b"\n")
        self.by_status[str(entry["status"])] += 1
        self.by_path[f"{entry['method']} {entry['path']}"] += 1

    def read(self, since: int, limit: int) -> list[dict[str, Any]]:
        """Entries with a number above `since`, oldest first, at most `limit`."""
        lines: list[bytes] = []
        for generation in self._generations:
            lines += generation.read(since + 1, limit - len(lines))
        return [json.loads(line) for line in lines]

    def clear(self) -> None:
        """Forget the entries and counters; numbers go on."""
        for generation in self._generations:
            generation.file.close()
        self._generations = [_Generation(self.last + 1)]
        self.by_status.clear()
        self.by_path.clear()

    def totals(self) -> dict[str, object]:
        return {"requests": self.last, "by_status": dict(self.by_status), "by_path": dict(self.by_path)}
