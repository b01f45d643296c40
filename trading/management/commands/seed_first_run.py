"""Prepares the database: migrations (with --migrate), then what a fresh installation must find. Safe to repeat."""

from __future__ import annotations

import argparse
import os
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from levi_site.database_roles import grant_rights
from trading.domain.errors import LeviError
from trading.first_run import seed_first_run
from trading.management.operator_command import long_statements


def has_migrations_to_run() -> bool:
    """Most starts have none, and `migrate` takes a second of its own to find that out: it renders every model."""
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


class Command(BaseCommand):
    help = "Fill in what a fresh installation needs: risk limits, an operator, a paper account with a token."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--migrate", action="store_true", help="migrate the database first")
        parser.add_argument("--url", default="http://127.0.0.1:8000", help="where the panel is reached")

    def handle(self, *_arguments: Any, **options: Any) -> None:
        if options["migrate"]:
            if has_migrations_to_run():
                with long_statements():  # a column more on millions of rows takes longer than a request may
                    call_command("migrate", interactive=False, verbosity=0)
            grant_rights()
        simulator = {
            "url": settings.SIMULATOR_URL,
            "key": os.environ.get("SIM_KEY", ""),
            "secret": os.environ.get("SIM_SECRET", ""),
        }
        try:
            seed_first_run(options["url"], simulator if settings.SIMULATOR_URL else {})
        except LeviError as error:
            raise CommandError(str(error)) from error
