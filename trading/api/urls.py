"""The routes of the API and of the documents' live endpoints.

APPEND_SLASH is off, since a redirect turns a POST into a GET; every address works with and without a trailing slash.
"""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, URLResolver, path, re_path

from .accounts import AccountsView, AccountView, CredentialsView
from .alerts import AlertAcknowledgeView, AlertsView, ChannelsView, ChannelTestView, ChannelView
from .algos import (
    AlgoCancelView,
    AlgoPauseView,
    AlgoPreviewView,
    AlgoResumeView,
    AlgosView,
    SingleAlgoView,
)
from .approvals import ApprovalsView, ApproveView, RefuseView
from .audit import AuditExportView, AuditVerifyView, AuditView
from .audit_proofs import AuditProofView
from .books import BalancesView, EquityView, InstrumentsView, PositionsView
from .equity import EquitySeriesView
from .fills import DecisionsView, FillsView
from .flattenings import FlatteningsView, PositionFlattenView
from .halts import EngageView, HaltHistoryView, HaltsView, ReleaseView
from .health import AliveView, ReadyView
from .limits import LimitsView
from .live import KillView, StatusView
from .metrics import MetricsView
from .orders import CancelAllView, OrderCancelView, OrdersView, SingleOrderView
from .reconciliation import (
    BreakAcknowledgeView,
    BreakAdjustView,
    BreaksView,
    MovementsView,
    ReconciliationsView,
)
from .reports import ReportSignView, ReportsView
from .resolving import OrderResolveView
from .risk_now import TriggersView, UtilisationView
from .schema import DocsView, SchemaView
from .signals import SignalsView
from .stream import StreamView
from .unknown import UnknownAddressView
from .webhooks import WebhookView

# The first that fits wins: `cancel-all` stands before the order's name.
ADDRESSES: dict[str, Any] = {
    "live/kill": KillView,
    "live/status": StatusView,
    "api/v1/signals": SignalsView,
    "api/v1/orders": OrdersView,
    "api/v1/orders/cancel-all": CancelAllView,
    "api/v1/orders/<str:name>": SingleOrderView,
    "api/v1/orders/<str:name>/cancel": OrderCancelView,
    "api/v1/orders/<str:name>/resolve": OrderResolveView,
    "api/v1/algos": AlgosView,
    "api/v1/algos/preview": AlgoPreviewView,
    "api/v1/algos/<str:name>": SingleAlgoView,
    "api/v1/algos/<str:name>/pause": AlgoPauseView,
    "api/v1/algos/<str:name>/resume": AlgoResumeView,
    "api/v1/algos/<str:name>/cancel": AlgoCancelView,
    "api/v1/fills": FillsView,
    "api/v1/positions": PositionsView,
    "api/v1/positions/flatten": PositionFlattenView,
    "api/v1/flattenings": FlatteningsView,
    "api/v1/balances": BalancesView,
    "api/v1/accounts": AccountsView,
    "api/v1/accounts/<str:name>": AccountView,
    "api/v1/accounts/<str:name>/credentials": CredentialsView,
    "api/v1/instruments": InstrumentsView,
    "api/v1/equity": EquityView,
    "api/v1/equity/series": EquitySeriesView,
    "api/v1/reconciliations": ReconciliationsView,
    "api/v1/breaks": BreaksView,
    "api/v1/breaks/<str:name>/acknowledge": BreakAcknowledgeView,
    "api/v1/breaks/<str:name>/adjust": BreakAdjustView,
    "api/v1/movements": MovementsView,
    "api/v1/reports": ReportsView,
    "api/v1/reports/<str:name>/sign": ReportSignView,
    "api/v1/decisions": DecisionsView,
    "api/v1/halts": HaltsView,
    "api/v1/halts/engage": EngageView,
    "api/v1/halts/release": ReleaseView,
    "api/v1/halts/history": HaltHistoryView,
    "api/v1/approvals": ApprovalsView,
    "api/v1/approvals/<str:name>/approve": ApproveView,
    "api/v1/approvals/<str:name>/refuse": RefuseView,
    "api/v1/alerts": AlertsView,
    "api/v1/alerts/<str:name>/acknowledge": AlertAcknowledgeView,
    "api/v1/alert-channels": ChannelsView,
    "api/v1/alert-channels/<str:name>": ChannelView,
    "api/v1/alert-channels/<str:name>/test": ChannelTestView,
    "api/v1/limits": LimitsView,
    "api/v1/limits/utilisation": UtilisationView,
    "api/v1/limits/triggers": TriggersView,
    "api/v1/audit": AuditView,
    "api/v1/audit/verify": AuditVerifyView,
    "api/v1/audit/export": AuditExportView,
    "api/v1/audit/<str:name>/proof": AuditProofView,
    "api/v1/stream": StreamView,
    "api/v1/webhooks/<str:name>": WebhookView,
    "metrics": MetricsView,
    "healthz/live": AliveView,
    "healthz/ready": ReadyView,
    "api/schema": SchemaView,
    "api/docs": DocsView,
}


NAMES = {"api/schema": "schema"}


def _routes() -> list[URLPattern | URLResolver]:
    """The twin with a slash stands second and carries the name, so that the schema's page finds it."""
    found: list[URLPattern | URLResolver] = []
    for address, view in ADDRESSES.items():
        found += [path(address, view.as_view()), path(f"{address}/", view.as_view(), name=NAMES.get(address))]
    return found


urlpatterns: list[URLPattern | URLResolver] = [
    *_routes(),
    re_path(r"^(?:api|live)(?:/.*)?$", UnknownAddressView.as_view()),
]
