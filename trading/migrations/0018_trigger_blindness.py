"""Since when an automatic halt has seen nothing that it could judge."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0015_flattening"),
    ]

    operations = [
        migrations.AddField(
            model_name="triggerstate",
            name="blind_since",
            field=models.DateTimeField(help_text="Since when nothing could be told.", null=True),
        ),
    ]
