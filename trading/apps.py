"""Django's entry to the app. Wiring of signals and process start-up only."""

from __future__ import annotations

from django.apps import AppConfig


class TradingConfig(AppConfig):
    name = "trading"
    verbose_name = "Trading"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from trading import audit
        from trading.execution.alerting import alert_on
        from trading.sign_in import trail

        audit.subscribe(alert_on)
        trail.connect()
