"""The nursery: a process that loads Django, the models and the execution layer once, and forks the others from it.

What is loaded before the fork is paid for once, in memory and in seconds, and every role of a host runs the same build.
It reads requests from the socket on its standard input, one per child: the words of a command line, an environment,
and two descriptors (the child's output, and the pipe from which the child takes its permission to begin). It answers
with the pid, and later says how the child ended.

Holds no thread and no connection, so that nothing is shared by a fork but memory. Decides nothing: what runs, when,
and what follows from an end is the supervisor's business (`stack/nursery_link.py`). When it dies its children live on.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import runpy
import selectors
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, NoReturn

MAX_REQUEST = 128 * 1024
# Named here and not imported above: settings must be loaded first.
LOADED = (
    "trading.tasks",
    "trading.supervision",
    "trading.management.commands.supervise",
    "trading.management.commands.run_streams",
    "django.core.management.commands",
    "celery.bin.celery",
    "celery.apps.worker",
    "celery.apps.beat",
    "celery.app.control",
    "celery.app.log",
    "celery.concurrency.prefork",
    "celery.contrib.django.task",
    "celery.events.dispatcher",
    "celery.events.receiver",
    "celery.worker.autoscale",
    "celery.worker.components",
    "celery.worker.consumer",
    "celery.worker.strategy",
    "billiard.heap",
    "billiard.popen_fork",
    "billiard.sharedctypes",
    "billiard.synchronize",
    "kombu.transport.redis",
    "django_celery_beat.schedulers",
    "granian.cli",
    "granian.server",
    "levi_site.wsgi",  # the panel's pages, the API, the middleware
    "levi_site.wsgi_bridge",
    "trading.streaming.hub",
    "trading.streaming.stream",
)


def load_product() -> None:
    """Everything that most children need. Frozen, so that no child's collector writes into the shared pages."""
    import django

    gc.disable()  # nothing that is loaded here is garbage: looking for some costs a tenth of the time
    django.setup()
    for name in LOADED:
        import_module(name)
    import_module("levi_site.warm_up").warm_up_pages()
    warm_up_libraries()
    gc.collect()
    gc.freeze()
    gc.enable()


def warm_up_libraries() -> None:
    """What every child would otherwise make by itself, some megabytes each: TLS roots, the HTTP client's parts, and the
    cryptography of the database's driver. Nothing is connected."""
    import httpx
    from psycopg import pq

    from trading.exchanges.http import shared_ssl_context

    httpx.Client(verify=shared_ssl_context(), trust_env=False).close()
    nowhere = pq.PGconn.connect(b"not a connection")
    nowhere.encrypt_password(b"password", b"user", b"scram-sha-256")
    nowhere.finish()


class Nursery:
    """One thread, one loop. Ends when the supervisor's end of the socket closes."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._wake_reader, self._wake_writer = os.pipe()
        for end in (self._wake_reader, self._wake_writer):
            os.set_blocking(end, False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(link, selectors.EVENT_READ)
        self._selector.register(self._wake_reader, selectors.EVENT_READ)
        signal.signal(
            signal.SIGCHLD, lambda *_: None
        )  # without a handler nothing would be written to the pipe
        signal.set_wakeup_fd(self._wake_writer, warn_on_full_buffer=False)

    def run(self) -> None:
        self._say({"pid": os.getpid()})  # ready
        while True:
            for key, _events in self._selector.select():
                if key.fileobj is self._link:
                    if not self._serve():
                        return
                else:
                    with contextlib.suppress(BlockingIOError):
                        os.read(self._wake_reader, 4096)
                    self._report_ends()

    def _serve(self) -> bool:
        request, descriptors, _flags, _sender = socket.recv_fds(self._link, MAX_REQUEST, 2)
        if not request:
            return False
        asked = json.loads(request)
        pid = os.fork()
        if pid == 0:
            self._become(asked["words"], asked["environment"], *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        self._say({"pid": pid})
        return True

    def _report_ends(self) -> None:
        with contextlib.suppress(ChildProcessError):  # no child is left
            while (ended := os.waitpid(-1, os.WNOHANG)) != (0, 0):
                self._say({"pid": ended[0], "code": os.waitstatus_to_exitcode(ended[1])})

    def _say(self, message: dict[str, int]) -> None:
        with contextlib.suppress(OSError):  # the supervisor is gone: the loop ends by itself
            self._link.send(json.dumps(message).encode())

    def _become(
        self, words: Sequence[str], environment: Mapping[str, str], output: int, permission: int
    ) -> NoReturn:
        """In the child: leave everything of the nursery behind, then run as if the command had been typed."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            self._selector.close()
            self._link.close()
            os.close(self._wake_reader)
            os.close(self._wake_writer)
            os.setsid()
            take_descriptors(output)
            if os.read(permission, 1):  # nothing: the supervisor gave up on this child
                os.close(permission)
                os.environ.clear()
                os.environ.update(environment)
                take_role()
                show_title(words)
                code = run_words(words)
        finally:
            # Whatever happens, a child never returns into the nursery's loop.
            with contextlib.suppress(OSError, ValueError):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)


def take_descriptors(output: int) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    os.close(nothing)
    os.close(output)


def take_role() -> None:
    """What the settings took from the environment and differs between roles: the database's user and the name there.
    No connection exists yet, and Django reads this dictionary when it makes one."""
    from django.conf import settings

    from levi_site.database_url import parse_database_url
    from levi_site.env import EnvironmentVariables

    env = EnvironmentVariables.load()
    settings.DATABASES["default"].update(
        parse_database_url(env.text("DATABASE_URL"), application_name=env.text("LEVI_ROLE", "levi"))
    )


def run_words(words: Sequence[str]) -> int:
    """As `python WORDS` would, in this process: a module after -m, or a file. Returns the exit code."""
    try:
        if words[0] == "-m":
            sys.argv = list(words[1:])
            runpy.run_module(words[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv = list(words)
            runpy.run_path(words[0], run_name="__main__")
    except SystemExit as end:
        return exit_code(end.code)
    except KeyboardInterrupt:
        return 130
    except Exception:  # the outermost frame of this process: said as the interpreter would say it
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
        return 1
    finally:
        run_exit_functions()
    return 0


def run_exit_functions() -> None:
    """`os._exit` skips them, and threads that are not daemons are waited for, as at the interpreter's end."""
    import atexit
    import threading

    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()


def exit_code(said: Any) -> int:
    if said is None or isinstance(said, int):
        return (said or 0) & 0xFF
    print(said, file=sys.stderr)
    return 1


def show_title(words: Sequence[str]) -> None:
    """What `ps` shows: this process's own command line. Written over the old one, which was made long enough for it."""
    title = b"\0".join(word.encode() for word in (sys.executable, *words))
    # Cosmetic: where the kernel refuses, all children are listed under the nursery's name.
    with contextlib.suppress(OSError, IndexError, ValueError):
        with open("/proc/self/stat", encoding="ascii") as stat:
            fields = stat.read().rpartition(")")[2].split()
        begin, end = int(fields[45]), int(fields[46])  # arg_start and arg_end
        room = end - begin
        with open("/proc/self/mem", "r+b", buffering=0) as memory:
            memory.seek(begin)
            memory.write(title[: room - 1].ljust(room, b"\0"))


def main() -> None:
    link = socket.socket(fileno=os.dup(0))
    show_title(["-m", "levi_site.nursery"])
    load_product()
    Nursery(link).run()


if __name__ == "__main__":
    main()
