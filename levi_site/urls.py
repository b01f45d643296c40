"""Where every URL starts: the panel under /admin/, everything else as the API declares it."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from trading.admin.control_room import control_room_page
from trading.admin.exports import ask_page
from trading.admin.finding import find_page, no_other_site
from trading.admin.saved_filters import forget_page, save_page
from trading.admin.strip_page import strip_page
from trading.admin.system import system_page

urlpatterns = [
    path("", RedirectView.as_view(url="/admin/", permanent=False)),
    # Pages of the panel that belong to no single table.
    path("admin/", control_room_page, name="panel_control_room"),
    path("admin/find/", find_page, name="panel_find"),
    path("admin/strip/", strip_page, name="panel_strip"),
    path("admin/system/", system_page, name="panel_system"),
    path("admin/export/", ask_page, name="panel_export"),
    path("admin/saved-filters/", save_page, name="panel_save_filter"),
    path("admin/saved-filters/<int:filter_id>/forget/", forget_page, name="panel_forget_filter"),
    path("admin/r/<path:row>", no_other_site),
    path("admin/", admin.site.urls),
    path("", include("trading.api.urls")),
]

# What stands there instead of a page.
handler400 = "levi_site.error_pages.malformed"
handler403 = "levi_site.error_pages.forbidden"
handler404 = "levi_site.error_pages.missing"
handler500 = "levi_site.error_pages.broken"
