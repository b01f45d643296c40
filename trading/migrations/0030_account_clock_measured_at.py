"""When the venue was last asked for its clock. Empty after the upgrade: what opens is denied until the first sync."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0026_heartbeat_identity"),
    ]

    operations = [
        migrations.AddField(
            model_name="exchangeaccount",
            name="clock_measured_at",
            field=models.DateTimeField(
                blank=True, editable=False, help_text="When the venue was asked for its clock.", null=True
            ),
        ),
    ]
