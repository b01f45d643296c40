"""Tables and constraints only: what must hold is stated here and enforced by the database.

No module here decides anything; the verbs are in `trading.execution`.
"""

from .accounts import NEVER_OBSERVED, Balance, Credential, EquitySnapshot, ExchangeAccount
from .algos import Algo, AlgoChild
from .approvals import ApprovalRequest
from .audit import AuditCheckpoint, AuditEntry, AuditStreamHead
from .controls import ControlEpoch, HaltChange, HaltState, Sweep, SweepVerdict
from .fills import Fill, Position
from .flattening import Flattening, FlatteningState
from .instruments import Instrument, Quote
from .limits import LimitsVersion
from .movements import TRANSFERS, Movement, MovementKind
from .notifications import Alert, AlertChannel, AlertDelivery, DeliveryState
from .operators import ApiToken
from .orders import Decision, Order, OrderAttempt, OrderEvidence
from .panel import ExportJob, ExportState, SavedFilter
from .reconciliation import (
    BalanceVerdict,
    Break,
    BreakKind,
    BreakResolution,
    BreakState,
    DailyReport,
    Heartbeat,
    JobSlot,
    SyncRun,
)
from .sign_in import Invitation, OperatorSession, RecoveryCode, SecondFactor
from .signals import Signal
from .strategies import Strategy
from .streams import AccountStream, StreamState
from .triggers import EquityPeak, LimitBand, TriggerState
from .webhooks import Webhook

__all__ = [
    "NEVER_OBSERVED",
    "TRANSFERS",
    "AccountStream",
    "Alert",
    "AlertChannel",
    "AlertDelivery",
    "Algo",
    "AlgoChild",
    "ApiToken",
    "ApprovalRequest",
    "AuditCheckpoint",
    "AuditEntry",
    "AuditStreamHead",
    "Balance",
    "BalanceVerdict",
    "Break",
    "BreakKind",
    "BreakResolution",
    "BreakState",
    "ControlEpoch",
    "Credential",
    "DailyReport",
    "Decision",
    "DeliveryState",
    "EquityPeak",
    "EquitySnapshot",
    "ExchangeAccount",
    "ExportJob",
    "ExportState",
    "Fill",
    "Flattening",
    "FlatteningState",
    "HaltChange",
    "HaltState",
    "Heartbeat",
    "Instrument",
    "Invitation",
    "JobSlot",
    "LimitBand",
    "LimitsVersion",
    "Movement",
    "MovementKind",
    "OperatorSession",
    "Order",
    "OrderAttempt",
    "OrderEvidence",
    "Position",
    "Quote",
    "RecoveryCode",
    "SavedFilter",
    "SecondFactor",
    "Signal",
    "Strategy",
    "StreamState",
    "Sweep",
    "SweepVerdict",
    "SyncRun",
    "TriggerState",
    "Webhook",
]
