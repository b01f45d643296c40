"""OpenAPI 3.1 and its page. Public: it describes the product, nothing of the installation.

The page's scripts come from our own host and stand in files of their own, as the content security policy demands.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.negotiation import DefaultContentNegotiation

from .access import PUBLIC
from .authentication import PanelSession
from .endpoint import Guarded
from .throttles import UNLIMITED


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "trading.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "levi.<lookup>.<secret>"}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = PanelSession
    name = "panelSession"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}


def drop_slash_twins(endpoints: list[Any]) -> list[Any]:
    """Each address also works with a trailing slash; the schema shows it once (SPECTACULAR_SETTINGS hook)."""
    paths = {path for path, *_rest in endpoints}
    return [row for row in endpoints if not (row[0].endswith("/") and row[0].rstrip("/") in paths)]


class PublicPage(Guarded):
    needs = {"GET": PUBLIC}
    buckets = {"GET": UNLIMITED}
    authentication_classes = ()
    known_parameters = None
    content_negotiation_class = DefaultContentNegotiation


@cache
def written_schema(is_public: bool) -> Any:
    return SchemaGenerator().get_schema(request=None, public=is_public)


class OnceGenerator(SchemaGenerator):
    """The same for everybody and as long as the process lives: written once, so that nobody can keep us writing."""

    def get_schema(self, request: Any = None, public: bool = False) -> Any:
        return written_schema(public)


class SchemaView(PublicPage, SpectacularAPIView):  # type: ignore[misc]
    renderer_classes = SpectacularAPIView.renderer_classes
    generator_class = OnceGenerator


class DocsView(PublicPage, SpectacularSwaggerSplitView):  # type: ignore[misc]
    renderer_classes = SpectacularSwaggerSplitView.renderer_classes
    url_name = "schema"
    template_name = "api/docs.html"
