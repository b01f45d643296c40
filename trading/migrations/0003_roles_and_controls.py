"""The four roles with their rights, and the rows without which nothing may be sent: the epoch and the widest scope.

A fresh paper installation starts active; testnet and production start halted, until a person releases them.
"""

from django.conf import settings
from django.db import migrations
from django.utils import timezone

VIEW = ("exchangeaccount", "balance", "equitysnapshot", "instrument", "strategy", "signal", "order", "decision",
        "orderattempt", "orderevidence", "fill", "position", "limitsversion", "haltstate", "haltchange", "sweep",
        "syncrun", "break", "auditentry")  # fmt: skip
ROLES = {
    "viewer": [],
    "trader": ["order.place_order", "order.cancel_order", "haltstate.engage_halt", "strategy.add_strategy"],
    "risk": [
        "order.cancel_order",
        "order.resolve_order",
        "haltstate.engage_halt",
        "haltstate.release_halt",
        "limitsversion.add_limitsversion",
        "auditentry.verify_audit",
        "auditentry.export_audit",
    ],
    # An administrator manages people and keys; to trade or release, somebody else must agree to give the role.
    "admin": [
        "haltstate.engage_halt",
        "exchangeaccount.add_exchangeaccount",
        "exchangeaccount.change_exchangeaccount",
        "credential.add_credential",
        "credential.change_credential",
        "strategy.add_strategy",
        "strategy.change_strategy",
        "apitoken.add_apitoken",
        "apitoken.change_apitoken",
        "apitoken.view_apitoken",
        "auditentry.verify_audit",
        "auditentry.export_audit",
    ],
}
ADMIN_OF_PEOPLE = ("auth.add_user", "auth.change_user", "auth.view_user", "auth.view_group")


def _permission(apps, app_label, model, codename):
    content_type, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label=app_label, model=model
    )
    permission, _ = apps.get_model("auth", "Permission").objects.get_or_create(
        content_type=content_type,
        codename=codename,
        defaults={"name": f"Can {codename.replace('_', ' ')}"},
    )
    return permission


def create_roles(apps, schema_editor):
    for role, rights in ROLES.items():
        group, _ = apps.get_model("auth", "Group").objects.get_or_create(name=role)
        for model in VIEW:
            group.permissions.add(_permission(apps, "trading", model, f"view_{model}"))
        for right in rights:
            model, codename = right.split(".")
            group.permissions.add(_permission(apps, "trading", model, codename))
        if role == "admin":
            for right in ADMIN_OF_PEOPLE:
                codename = right.split(".")[1]
                group.permissions.add(_permission(apps, "auth", codename.split("_")[1], codename))


def create_controls(apps, schema_editor):
    now = timezone.now()
    apps.get_model("trading", "ControlEpoch").objects.get_or_create(
        id=1, defaults={"epoch": 1, "raised_at": now}
    )
    is_paper = settings.LEVI_MODE == "paper"
    apps.get_model("trading", "HaltState").objects.get_or_create(
        scope="everything",
        target="",
        defaults={
            "state": "active" if is_paper else "halted",
            "reason": "" if is_paper else "fresh installation: release after the checks of the runbook",
            "trigger": "installation",
            "actor": "system",
            "since": now,
        },
    )


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0002_guards"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [
        migrations.RunPython(create_roles, migrations.RunPython.noop),
        migrations.RunPython(create_controls, migrations.RunPython.noop),
    ]
