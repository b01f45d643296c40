"""The control room: /admin/, the first page. Reads and shows; the range of the equity curve is its only parameter."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from .dashboard import describe_room
from .page import page_context

TOPICS = ("orders", "fills", "positions", "halts", "algos", "alerts", "breaks", "audit")


@require_safe
def control_room_view(request: HttpRequest) -> HttpResponse:
    context = {
        **page_context(request),
        "title": "Control room",
        "topics": ",".join(TOPICS),
        **describe_room(request, request.GET.get("range", "day")),
    }
    return TemplateResponse(request, "admin/index.html", context)


control_room_page = admin.site.admin_view(control_room_view)
