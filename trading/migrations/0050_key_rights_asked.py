"""When each venue key was last asked about, and why its venue did not say what it may do."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0039_algos"),
    ]

    operations = [
        migrations.AddField(
            model_name="credential",
            name="rights_asked_at",
            field=models.DateTimeField(
                blank=True, help_text="When the venue was last asked, whatever it answered.", null=True
            ),
        ),
        migrations.AddField(
            model_name="credential",
            name="rights_error",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Why the venue did not say them when it was last asked.",
                max_length=500,
            ),
        ),
        migrations.AlterField(
            model_name="credential",
            name="rights_checked_at",
            field=models.DateTimeField(blank=True, help_text="When the venue last said them.", null=True),
        ),
    ]
