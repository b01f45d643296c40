"""Start-up of the project's own wiring: the Celery application (so that every process can ring the bell) and
the system checks. Loaded as a Django app so that nothing happens on a bare import of the package.
"""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class SiteConfig(AppConfig):
    name = "levi_site"
    label = "levi_site"
    verbose_name = "Levi"

    def ready(self) -> None:
        import_module("levi_site.celery")
        import_module("levi_site.checks")
