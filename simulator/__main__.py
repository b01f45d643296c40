"""`python -m simulator`: start the simulated venues; see docs/simulator.md."""

from __future__ import annotations

import asyncio
import contextlib

from simulator.core.money import use_exact_context
from simulator.program import parse_arguments, serve


def main() -> int:
    given = parse_arguments()
    use_exact_context()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(given))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
