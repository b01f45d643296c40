#!/usr/bin/env python
"""The command line of the panel.

`up` starts and supervises the whole stack; it is handed over before Django is loaded, because the supervisor
must stay small and must run while there is no database yet. So is `soak`, which brings up a stack of its own and must
not touch this one. `break_glass` is for when there is no database any more;
only its preparation needs one. Every other command is a Django command.
"""

import os
import sys


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "levi_site.settings")
    if sys.argv[1:2] == ["up"]:
        from levi_site.stack.command import run_up

        return run_up(sys.argv[2:])
    if sys.argv[1:2] == ["soak"]:
        from soak.command import run_soak

        return run_soak(sys.argv[2:])
    if sys.argv[1:2] == ["break_glass"]:
        if "--prepare" not in sys.argv:
            from trading.break_glass.command import run_break_glass

            return run_break_glass(sys.argv[2:])
        sys.argv[1:] = ["prepare_break_glass", *(word for word in sys.argv[2:] if word != "--prepare")]
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        # The message names key, value and remedy; a traceback would bury it.
        print(f"levi: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
