"""`manage.py up`: takes the lock, starts everything in order, prints how to get in, supervises, stops.

Exit codes: 0 stopped on request, 1 could not start, 2 wrong use or wrong configuration.
"""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from levi_site.env import EnvironmentVariables, SettingError, services_file
from levi_site.secret_files import get_secret
from levi_site.stack.banner import format_banner
from levi_site.stack.embedded_postgres import ServerFailed
from levi_site.stack.installation import Installation, build_installation, make_home_dir
from levi_site.stack.instance_lock import AlreadyRunning, hold_instance, lock_file
from levi_site.stack.options import EMBEDDED, StackOptions, parse_options
from levi_site.stack.output import Console
from levi_site.stack.ports import hold_port, is_port_free
from levi_site.stack.postgres_binaries import ServerMissing
from levi_site.stack.process_spec import Phase, ProcessSpec
from levi_site.stack.processes import build_setup, build_specs
from levi_site.stack.reaper_link import ReaperLink
from levi_site.stack.supervisor import StartFailed, Stopped, Supervisor
from levi_site.start_hold import hold_start, read_mode

SECRET_NAMES = ("SECRET_KEY", "LEVI_ENCRYPTION_KEY", "LEVI_AUDIT_KEY")
DONE, FAILED, WRONG_USE = 0, 1, 2


def check_environment(env: EnvironmentVariables, options: StackOptions) -> str:
    """The mode; raises SettingError for whatever would stop the children, before any of them starts."""
    mode = read_mode(env)
    make_home_dir(env.home_dir)
    for name in SECRET_NAMES:
        get_secret(env, name, mode=mode)
    for process, variable in EMBEDDED.items():
        if env.text(variable):
            continue
        if not options.wants(process):
            raise SettingError(
                f"{variable} is not set and {process} is left out; set it to a server of yours"
            )
        if mode == "production":
            raise SettingError(
                f"{variable} is not set; production needs servers that are backed up and watched, not embedded ones"
            )
    return mode


@contextmanager
def hold_panel_port(options: StackOptions) -> Iterator[None]:
    claim = hold_port(options.port) if options.wants("web") else socket.socket()
    try:
        if claim is None or (options.wants("web") and not is_port_free(options.port, options.host)):
            raise SettingError(
                f"PORT={options.port} is in use on {options.host}; choose another:  PORT={options.port + 1} make run"
            )
        yield
    finally:
        if claim:
            claim.close()


def run_up(argv: Sequence[str]) -> int:
    try:
        env = EnvironmentVariables.load()
        options = parse_options(argv, env)
        with hold_instance(env.home_dir, options.lock_name), hold_panel_port(options):
            # Announcements of a stack that was killed are void; only now is it certain that none runs.
            services_file(env.home_dir).unlink(missing_ok=True)
            env = EnvironmentVariables.load()
            mode = check_environment(env, options)
            return supervise(build_installation(env, options, mode))
    except (SettingError, AlreadyRunning, ServerMissing) as error:
        print(f"levi: {error}", file=sys.stderr)
        return WRONG_USE


def supervise(home: Installation) -> int:
    console = Console(home.home_dir / "logs")
    reaper = ReaperLink([services_file(home.home_dir), lock_file(home.home_dir, home.options.lock_name)])
    supervisor = Supervisor(console, reaper, drain_seconds=home.options.drain_seconds)
    code = DONE
    try:
        started = time.monotonic()
        start_all(home, supervisor, console)
        console.show(format_banner(home.url, home.mode, home.home_dir, time.monotonic() - started))
        supervisor.watch()
    except Stopped:
        pass
    except (StartFailed, ServerFailed, OSError) as error:
        console.say(f"cannot start: {error}")
        code = FAILED
    finally:
        console.say("stopping")
        supervisor.stop()
        home.withdraw()
        reaper.release()
        console.say("stopped")
        console.close()
    return code


def hold_back(home: Installation) -> None:
    """In testnet and production a start is halted, before any worker runs, until a person releases it."""
    if home.options.wants("orders") or home.options.wants("background"):
        hold_start(home.home_dir, home.mode)


def start_all(home: Installation, supervisor: Supervisor, console: Console) -> None:
    """Servers, venue, tables and seed, then everything that needs them, together."""
    home.clear_old_metrics()
    hold_back(home)
    specs = build_specs(home)

    def start(title: str, *phases: Phase) -> None:
        wanted = [spec for spec in specs if spec.phase in phases]
        if wanted:
            run_step(
                console,
                f"{title}: {', '.join(spec.name for spec in wanted)}",
                lambda: supervisor.start(wanted),
            )

    start("servers", Phase.SERVERS, Phase.VENUE)
    home.announce()
    if home.options.is_whole:
        setup: ProcessSpec = build_setup(home)
        run_step(console, "database: migrations and first rows", lambda: supervisor.run_once(setup))
    start("processes", Phase.WORKERS, Phase.FRONT)


def run_step(console: Console, title: str, step: Callable[[], None]) -> None:
    console.say(f"{title} …")
    started = time.monotonic()
    step()
    console.say(f"{title}: ready ({time.monotonic() - started:.1f} s)")
