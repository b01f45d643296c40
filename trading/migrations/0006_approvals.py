"""Requests for a second person's word. What was asked for, by whom and for which epoch can not be changed afterwards."""

import importlib

from django.db import migrations, models
from django.db.models import F, Q

import trading.models.columns

REFUSE_DELETE = importlib.import_module("trading.migrations.0002_guards")._refuse
NO_DELETE = ("trading_approvalrequest",)
GUARD = """
CREATE FUNCTION levi_guard_approval() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.kind, NEW.subject, NEW.payload, NEW.payload_hash, NEW.epoch, NEW.requested_by, NEW.reason,
        NEW.requested_at, NEW.expires_at)
       IS DISTINCT FROM
       (OLD.id, OLD.kind, OLD.subject, OLD.payload, OLD.payload_hash, OLD.epoch, OLD.requested_by, OLD.reason,
        OLD.requested_at, OLD.expires_at) THEN
        RAISE EXCEPTION 'what was asked for does not change (approval %)', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state <> OLD.state AND NOT (OLD.state = 'pending'
            OR (OLD.state = 'approved' AND NEW.state = 'void' AND OLD.used_at IS NULL)) THEN
        RAISE EXCEPTION 'an approval that is % stays so (approval %)', OLD.state, OLD.id
            USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.used_at IS DISTINCT FROM OLD.used_at AND (OLD.used_at IS NOT NULL OR OLD.state <> 'approved') THEN
        RAISE EXCEPTION 'an approval is used once, after it was given (approval %)', OLD.id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_approval BEFORE UPDATE ON trading_approvalrequest
    FOR EACH ROW EXECUTE FUNCTION levi_guard_approval();
"""
KINDS = ("release", "limits", "flatten", "adjustment")
STATES = ("pending", "approved", "refused", "expired", "void")
VIEWERS = ("viewer", "trader", "risk", "admin")


def give_rights(apps, schema_editor):
    make = importlib.import_module("trading.migrations.0003_roles_and_controls")._permission
    view = make(apps, "trading", "approvalrequest", "view_approvalrequest")
    decide = make(apps, "trading", "approvalrequest", "decide_approval")
    for group in apps.get_model("auth", "Group").objects.filter(name__in=VIEWERS):
        group.permissions.add(view, *([decide] if group.name == "risk" else []))


def _choices(words):
    return [(word, word) for word in words]


class Migration(migrations.Migration):
    dependencies = [("trading", "0005_audit_checkpoints")]
    operations = [
        migrations.CreateModel(
            name="ApprovalRequest",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=trading.models.columns.new_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("kind", models.CharField(choices=_choices(KINDS), max_length=20)),
                (
                    "subject",
                    models.CharField(help_text="What exactly will happen, as a sentence.", max_length=300),
                ),
                ("payload", models.JSONField(default=dict)),
                ("payload_hash", models.CharField(editable=False, max_length=64)),
                (
                    "epoch",
                    models.BigIntegerField(
                        help_text="The epoch at asking; a halt engaged since then makes it void."
                    ),
                ),
                ("requested_by", models.CharField(max_length=150)),
                ("reason", models.CharField(max_length=300)),
                ("request_id", models.CharField(blank=True, max_length=64)),
                ("requested_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("state", models.CharField(choices=_choices(STATES), default="pending", max_length=10)),
                ("decided_by", models.CharField(blank=True, max_length=150)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                (
                    "answer",
                    models.CharField(
                        blank=True, help_text="Why it was refused or could not be done.", max_length=300
                    ),
                ),
                ("used_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-requested_at", "-id"],
                "permissions": [("decide_approval", "Can approve or refuse what another person asks for")],
                "default_permissions": ("view",),
                "indexes": [models.Index(fields=["-requested_at", "-id"], name="approval_by_time")],
                "constraints": [
                    models.CheckConstraint(condition=Q(kind__in=list(KINDS)), name="approval_kind_known"),
                    models.CheckConstraint(condition=Q(state__in=list(STATES)), name="approval_state_known"),
                    models.UniqueConstraint(
                        fields=["kind", "payload_hash"],
                        condition=Q(state="pending"),
                        name="approval_asked_once",
                    ),
                    models.CheckConstraint(
                        condition=~Q(state="approved") | ~Q(decided_by=F("requested_by")),
                        name="approval_by_another",
                    ),
                    models.CheckConstraint(
                        condition=~Q(state__in=["approved", "refused"])
                        | (~Q(decided_by="") & Q(decided_at__isnull=False)),
                        name="approval_decided_by_somebody",
                    ),
                ],
            },
        ),
        migrations.RunSQL(GUARD, "DROP FUNCTION levi_guard_approval CASCADE;"),
        migrations.RunSQL(REFUSE_DELETE(NO_DELETE[0], "DELETE"), migrations.RunSQL.noop),
        migrations.RunPython(give_rights, migrations.RunPython.noop),
    ]
