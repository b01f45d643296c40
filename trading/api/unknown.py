"""The last route: an address below /api/ or /live/ that does not exist gets the API's own 404, never a page."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request

from .access import PUBLIC
from .endpoint import Endpoint
from .errors import NotFound


class UnknownAddressView(Endpoint):
    needs = dict.fromkeys(("GET", "POST", "PUT"), PUBLIC)
    authentication_classes = ()
    known_parameters = None
    schema = None

    def _refuse(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        raise NotFound(f"There is no {request.path[:200]}.", remedy="GET /api/docs/ shows every address.")

    get = post = put = _refuse
