"""`python -m simulator`: start the simulated venues; see docs/simulator.md."""

from __future__ import annotations

import asyncio
import contextlib
import sys

from simulator.core.money import use_exact_context
from simulator.program import parse_arguments, serve


def main() -> int:
    given = parse_arguments()
    use_exact_context()
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(serve(given))
    except OSError as error:  # a taken port, an unwritable data directory
        print(f"simulator: cannot start on {given.host}:{given.port}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
