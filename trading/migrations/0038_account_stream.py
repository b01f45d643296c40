"""How the private stream of each account stands. Empty after the upgrade: the first listener makes the rows."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0037_account_opening_transfers"),
    ]

    operations = [
        migrations.CreateModel(
            name="AccountStream",
            fields=[
                (
                    "account",
                    models.OneToOneField(
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="stream",
                        serialize=False,
                        to="trading.exchangeaccount",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("connecting", "connecting"),
                            ("syncing", "syncing: the books are compared with the venue first"),
                            ("live", "live"),
                            ("lost", "lost"),
                        ],
                        default="connecting",
                        max_length=10,
                    ),
                ),
                ("since", models.DateTimeField(help_text="Since when it is in this state.")),
                (
                    "reason",
                    models.CharField(blank=True, help_text="Why it is not live, in words.", max_length=300),
                ),
                (
                    "live_since",
                    models.DateTimeField(
                        help_text="When it was last confirmed by a sync and went live.", null=True
                    ),
                ),
                (
                    "heard_at",
                    models.DateTimeField(help_text="When it was last heard of while it was live.", null=True),
                ),
                ("created_at", models.DateTimeField(help_text="When somebody first listened.")),
                ("events", models.BigIntegerField(default=0, help_text="Events heard.")),
                (
                    "losses",
                    models.BigIntegerField(
                        default=0, help_text="How often it was lost after it had been live."
                    ),
                ),
                ("gaps", models.BigIntegerField(default=0, help_text="Fills that it never announced.")),
                ("process", models.CharField(blank=True, help_text="Who listens.", max_length=80)),
                (
                    "leased_until",
                    models.DateTimeField(help_text="Until then nobody else listens.", null=True),
                ),
            ],
            options={
                "ordering": ["account"],
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["connecting", "syncing", "live", "lost"])),
                        name="stream_state_known",
                    )
                ],
            },
        ),
    ]
