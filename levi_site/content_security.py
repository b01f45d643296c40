"""The headers that bind a browser: Content-Security-Policy, Permissions-Policy, and no caching of what the API says.

One policy for every page, without an exception: scripts and styles come from this host's own files, nothing inline and
nothing evaluated. The panel draws all of its pages in its own frame (templates/panel/), so that Unfold's scripts, which
evaluate expressions, are not loaded anywhere.
"""

from __future__ import annotations

from csp.constants import NONE, SELF
from csp.middleware import CSPMiddleware
from django.http import HttpRequest, HttpResponseBase

STRICT_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}
# Pages ask for no device of the person's; so nothing that is smuggled into one can.
PERMISSIONS = ", ".join(
    f"{name}=()" for name in ("camera", "display-capture", "geolocation", "microphone", "payment", "usb")
)
NEVER_CACHED = ("/api/v1/", "/live/")


class BrowserHeadersMiddleware(CSPMiddleware):
    """The policy, and the headers beside it."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        response = super().process_response(request, response)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        if request.path_info.startswith(NEVER_CACHED):
            response.headers.setdefault("Cache-Control", "no-store")
        return response
