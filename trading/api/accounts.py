"""Exchange accounts. Credentials go in and never come out: no answer holds a key, a secret or a part of one."""

from __future__ import annotations

from typing import Any

import django_filters
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from trading.domain.enums import Environment, TradingMode, VenueName
from trading.domain.errors import ConfigurationError, InvalidInput
from trading.domain.money import positive
from trading.execution.accounts import create_account, store_credentials
from trading.models import ExchangeAccount
from trading.models.columns import choices
from trading.queries.key_rights import key_state
from trading.queries.streams import stream_of

from .checked import StrictSerializer, check_body
from .endpoint import Endpoint, ListEndpoint
from .errors import NotFound
from .fields import AskedNumber, RowSerializer
from .filters import RowFilter

ACCOUNT_NAME = OpenApiParameter("name", str, OpenApiParameter.PATH)


class StreamAnswer(serializers.Serializer[Any]):
    state = serializers.CharField(
        help_text="connecting, syncing, live or lost; nobody listens, never heard, no key or not offered."
    )
    since = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField(allow_blank=True, help_text="Why it is not live.")
    heard_at = serializers.DateTimeField(
        allow_null=True, help_text="When it was last heard of while it was live."
    )


class KeyStateAnswer(serializers.Serializer[Any]):
    state = serializers.CharField(help_text="good, at fault, unknown, not asked yet or no key.")
    faults = serializers.ListField(
        child=serializers.CharField(), help_text="What the venue's last answer shows to be wrong."
    )
    checked_at = serializers.DateTimeField(allow_null=True, help_text="When the venue last said it.")
    asked_at = serializers.DateTimeField(allow_null=True, help_text="When it was last asked.")
    error = serializers.CharField(allow_blank=True, help_text="Why it did not say it then.")


class AccountRow(RowSerializer):
    has_credentials = serializers.SerializerMethodField()
    key_state = serializers.SerializerMethodField()
    stream = serializers.SerializerMethodField()
    key_rights = serializers.DictField(
        source="credential.rights",
        read_only=True,
        default=None,
        allow_null=True,
        help_text="As the venue told us.",
    )

    class Meta:
        model = ExchangeAccount
        fields = (
            "id",
            "name",
            "venue",
            "environment",
            "mode",
            "base_url",
            "is_enabled",
            "is_default",
            "rate_limit_rps",
            "has_credentials",
            "key_rights",
            "key_state",
            "created_at",
            "synced_at",
            "sync_error",
            "stream",
        )

    def get_has_credentials(self, account: ExchangeAccount) -> bool:
        return hasattr(account, "credential")

    @extend_schema_field(KeyStateAnswer)
    def get_key_state(self, account: ExchangeAccount) -> dict[str, Any]:
        found = key_state(account, timezone.now())
        answer = {
            "state": found.word,
            "faults": [fault.words for fault in found.faults],
            "checked_at": found.checked_at,
            "asked_at": found.asked_at,
            "error": found.error,
        }
        return KeyStateAnswer(answer).data

    @extend_schema_field(StreamAnswer)
    def get_stream(self, account: ExchangeAccount) -> dict[str, Any]:
        found = stream_of(account, timezone.now())
        answer = {
            "state": found.word,
            "since": found.since,
            "reason": found.reason,
            "heard_at": found.heard_at,
        }
        return StreamAnswer(answer).data


class AccountFilter(RowFilter):
    name = django_filters.CharFilter()
    venue = django_filters.ChoiceFilter(choices=choices(VenueName))
    mode = django_filters.ChoiceFilter(choices=choices(TradingMode))
    is_enabled = django_filters.BooleanFilter()

    class Meta:
        model = ExchangeAccount
        fields: tuple[str, ...] = ()


class AccountBody(StrictSerializer):
    name = serializers.CharField(max_length=40, help_text="1 to 40 lower-case letters, digits, _ or -.")
    venue = serializers.ChoiceField(choices=choices(VenueName))
    environment = serializers.ChoiceField(choices=choices(Environment))
    mode = serializers.ChoiceField(choices=choices(TradingMode))
    base_url = serializers.CharField(max_length=200, help_text="One of the venue's known addresses.")
    is_default = serializers.BooleanField(default=False)
    rate_limit_rps = AskedNumber(required=False, allow_null=True)


class AccountsView(ListEndpoint):
    """Exchange accounts, without anything secret."""

    needs = {"GET": "trading.view_exchangeaccount", "POST": "trading.add_exchangeaccount"}
    queryset = ExchangeAccount.objects.select_related("credential", "stream").defer(
        "credential__sealed_key", "credential__sealed_secret"
    )
    serializer_class = AccountRow
    filterset_class = AccountFilter
    keyset = ("name",)

    @extend_schema(
        operation_id="accounts_create",
        summary="Register an exchange account",
        request=AccountBody,
        responses={201: AccountRow},
        filters=False,
    )
    def post(self, request: Request) -> Response:
        body = check_body(AccountBody, request)
        rate = body.get("rate_limit_rps")
        if body["is_default"] and (taken := ExchangeAccount.objects.filter(is_default=True).first()):
            raise InvalidInput(
                f"Account {taken.name} is the default already.",
                remedy="Change that in the panel.",
                field="is_default",
            )
        try:
            account = create_account(
                body["name"],
                venue=VenueName(body["venue"]),
                environment=Environment(body["environment"]),
                mode=TradingMode(body["mode"]),
                base_url=body["base_url"],
                is_default=body["is_default"],
                rate_limit_rps=None if rate is None else positive(rate, field="rate_limit_rps"),
                actor=self.actor,
            )
        except ConfigurationError as error:
            # Here the address is the caller's word, not a setting of the installation.
            raise InvalidInput(
                error.message, remedy=error.remedy, code="base_url_refused", field="base_url"
            ) from None
        return Response(AccountRow(account).data, status=201)


def get_account(name: str) -> ExchangeAccount:
    account = AccountsView.queryset.filter(name=name).first()
    if account is None:
        raise NotFound(f"There is no account {name[:80]!r}.", remedy="GET /api/v1/accounts lists them.")
    return account


class AccountView(Endpoint):
    needs = {"GET": "trading.view_exchangeaccount"}

    @extend_schema(
        operation_id="accounts_retrieve",
        summary="One account",
        parameters=[ACCOUNT_NAME],
        responses=AccountRow,
    )
    def get(self, request: Request, name: str) -> Response:
        return Response(AccountRow(get_account(name)).data)


class CredentialsBody(StrictSerializer):
    key = serializers.CharField(write_only=True, max_length=512)
    secret = serializers.CharField(write_only=True, max_length=512)


class CredentialsAnswer(serializers.Serializer[Any]):
    account = serializers.CharField()
    has_credentials = serializers.BooleanField()


class CredentialsView(Endpoint):
    needs = {"PUT": "trading.change_credential"}

    @extend_schema(
        operation_id="accounts_store_credentials",
        summary="Store or replace the API key of an account",
        parameters=[ACCOUNT_NAME],
        request=CredentialsBody,
        responses=CredentialsAnswer,
    )
    def put(self, request: Request, name: str) -> Response:
        body = check_body(CredentialsBody, request)
        account = get_account(name)
        store_credentials(account, body["key"], body["secret"], actor=self.actor)
        return Response({"account": account.name, "has_credentials": True})
