"""The Django project: wiring only (environment, settings, URLs, Celery, processes). Knows nothing about trading."""
