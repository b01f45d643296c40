"""The proof of one audit entry over HTTP. Read-only; whoever may read the entry may have its proof."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from trading.audit import prove
from trading.domain.errors import UnknownName

from .endpoint import Endpoint
from .errors import NotFound


class AuditProofAnswer(serializers.Serializer[Any]):
    format = serializers.CharField()
    entry = serializers.CharField(help_text="One line of JSON; its bytes are the leaf.")
    index = serializers.IntegerField(help_text="The leaf's place under the checkpoint.")
    path = serializers.ListField(
        child=serializers.CharField(), help_text="Hashes of the siblings, from the leaf up to the root."
    )
    checkpoint = serializers.DictField(help_text="With its root, its hash and the signature over it.")
    key = serializers.DictField(help_text="The public key and its id.")


class AuditProofView(Endpoint):
    """Check it with tools/verify_levi_audit.py, which needs neither Levi nor its key."""

    needs = {"GET": "trading.view_auditentry"}

    @extend_schema(
        operation_id="audit_proof",
        summary="Proof that an entry stands under a signed checkpoint",
        parameters=[OpenApiParameter("name", str, OpenApiParameter.PATH, description="The entry's id.")],
        responses=AuditProofAnswer,
    )
    def get(self, request: Request, name: str) -> Response:
        # Digits only: 19 of them are more than any id has.
        entry_id = int(name) if name.isascii() and name.isdecimal() and len(name) < 19 else 0
        try:
            return Response(prove(entry_id))
        except UnknownName as error:
            raise NotFound(
                f"There is no audit entry {name[:80]!r}.", remedy="GET /api/v1/audit lists them."
            ) from error
