"""A request for a second person's word, as the API shows it: also the 202 answer of a verb that waits for one."""

from __future__ import annotations

from trading.models import ApprovalRequest

from .fields import RowSerializer


class ApprovalRow(RowSerializer):
    class Meta:
        model = ApprovalRequest
        fields = (
            "id",
            "kind",
            "subject",
            "payload",
            "payload_hash",
            "epoch",
            "state",
            "requested_by",
            "reason",
            "request_id",
            "requested_at",
            "expires_at",
            "decided_by",
            "decided_at",
            "answer",
            "used_at",
        )
