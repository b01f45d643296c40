"""The strip alone, for pages that have nothing else to keep true: /admin/strip/."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe


@require_safe
def strip_view(request: HttpRequest) -> HttpResponse:
    return TemplateResponse(request, "panel/strip_only.html", {})


strip_page = admin.site.admin_view(strip_view)
