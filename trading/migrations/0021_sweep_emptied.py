"""Since when a sweep saw nothing: what its page shows between the last cancel and the proof."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0020_panel"),
    ]

    operations = [
        migrations.AddField(
            model_name="sweep",
            name="emptied_at",
            field=models.DateTimeField(
                help_text="Since when every look found nothing; a proof waits for the last acceptance.",
                null=True,
            ),
        ),
    ]
