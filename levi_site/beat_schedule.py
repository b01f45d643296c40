"""What Celery beat rings, and how often. Beat copies these rows into the database by name at its start; there
they are visible in the panel. Rings are hints: each periodic slot runs once, whoever rings.

Each row: name -> {"task": "trading.tasks.<name>", "schedule": seconds, "options": {"queue": …, "expires": …}}.
"""

from __future__ import annotations

from typing import Any

BEAT_SCHEDULE: dict[str, dict[str, Any]] = {}
