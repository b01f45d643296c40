"""The page that asks for a code in the middle of something, and does it then: nothing that was typed is lost.

A verb that wants a fresh second factor raises; this middleware answers with a page that carries the same form, hidden,
and one field more. Sent again, the code proves the factor (sign_in.gate) and the form's own page runs.
"""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.cache import add_never_cache_headers

from trading.domain.errors import NotAllowed
from trading.execution.authority import FACTOR_REQUIRED
from trading.sign_in.gate import CODE_FIELD

from .page import Detail

_LEFT_OUT = ("csrfmiddlewaretoken", CODE_FIELD)


class StepUp:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, NotAllowed) or exception.code != FACTOR_REQUIRED:
            return None
        if request.method != "POST" or not request.path_info.startswith("/admin/"):
            return None
        answer = ask_for_code(request, exception).render()
        add_never_cache_headers(answer)
        return answer


def ask_for_code(request: HttpRequest, refusal: NotAllowed) -> TemplateResponse:
    kept = [(name, text) for name, texts in request.POST.lists() if name not in _LEFT_OUT for text in texts]
    page = Detail(title="Confirm that it is you", lead=refusal.message)
    context = {
        **admin.site.each_context(request),
        "title": page.title,
        "page": page,
        "kept": kept,
        "code_field": CODE_FIELD,
        "target": request.get_full_path(),
    }
    return TemplateResponse(request, "panel/step_up.html", context)
