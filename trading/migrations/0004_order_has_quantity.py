"""An order without any quantity is refused: comparing with NULL had let it pass."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0003_roles_and_controls"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="order",
            name="order_quantity_positive",
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("quantity__gt", 0), ("quantity__isnull", False)),
                    models.Q(
                        ("quantity__isnull", True),
                        ("quote_quantity__gt", 0),
                        ("quote_quantity__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="order_quantity_positive",
            ),
        ),
    ]
