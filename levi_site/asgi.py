"""The ASGI entry point that granian serves: the panel and the API in threads, event streams in the loop.

One port and one process for both: a stream needs the panel's origin and cookies, and costs no thread while it waits.
"""

from __future__ import annotations

import os

from django.conf import settings

from levi_site.warm_up import warm_up_pages
from levi_site.wsgi import application as wsgi_application
from levi_site.wsgi_bridge import Receive, Scope, Send, WsgiBridge, build_environ
from trading.heart import keep_beating
from trading.live import hint_channel
from trading.streaming.hub import HintHub
from trading.streaming.stream import Reply, StreamDoor

STREAM_PATHS = ("/api/v1/stream", "/api/v1/stream/")

warm_up_pages()  # a child of the nursery finds it done
keep_beating("web")
# Threads for pages and API of one worker process; each owns a database connection.
bridge = WsgiBridge(wsgi_application, int(os.environ.get("LEVI_WEB_THREADS", "4")))
door = StreamDoor(HintHub(settings.REDIS_URL, hint_channel()))


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "http":
        return
    if scope["path"] not in STREAM_PATHS or scope["method"] != "GET":
        await bridge(scope, receive, send)
        return

    async def ask(after: int | None) -> Reply:
        environ = build_environ(scope, b"")
        if after is not None:
            environ["HTTP_LAST_EVENT_ID"] = str(after)
        return await bridge.ask(environ)

    await door.answer(ask, receive, send)
