"""The headers that bind a browser: Content-Security-Policy, Permissions-Policy, and no caching of what the API says.

The policy is strict everywhere, with the exception the Unfold panel needs under /admin/ only.

Unfold's Alpine.js evaluates expressions ('unsafe-eval') and sets inline styles; without both an invisible
overlay blocks the login button. Inline scripts stay forbidden there too. No third-party host is ever allowed.
"""

from __future__ import annotations

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware, PolicyParts
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
PANEL_PREFIX = "/admin/"
# Pages ask for no device of the person's; so nothing that is smuggled into one can.
PERMISSIONS = ", ".join(
    f"{name}=()" for name in ("camera", "display-capture", "geolocation", "microphone", "payment", "usb")
)
NEVER_CACHED = ("/api/v1/", "/live/")
PANEL_EXCEPTION = {"script-src": [SELF, UNSAFE_EVAL], "style-src": [SELF, UNSAFE_INLINE]}


class PanelAwareCSPMiddleware(CSPMiddleware):
    """Adds the panel's exception by path; a view may still narrow its own policy."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if request.path_info.startswith(PANEL_PREFIX):
            parts.replace = {**PANEL_EXCEPTION, **(parts.replace or {})}
        return parts

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        response = super().process_response(request, response)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        if request.path_info.startswith(NEVER_CACHED):
            response.headers.setdefault("Cache-Control", "no-store")
        return response
