"""Tables and constraints only: what must hold is stated here and enforced by the database.

No module here decides anything; the verbs are in `trading.execution`.
"""

from .accounts import Balance, Credential, EquitySnapshot, ExchangeAccount
from .approvals import ApprovalRequest
from .audit import AuditCheckpoint, AuditEntry, AuditStreamHead
from .controls import ControlEpoch, HaltChange, HaltState, Sweep, SweepVerdict
from .fills import Fill, Position
from .flattening import Flattening, FlatteningState
from .instruments import Instrument, Quote
from .limits import LimitsVersion
from .notifications import Alert, AlertChannel, AlertDelivery, DeliveryState
from .operators import ApiToken
from .orders import Decision, Order, OrderAttempt, OrderEvidence
from .panel import ExportJob, ExportState, SavedFilter
from .reconciliation import Break, BreakKind, BreakState, Heartbeat, JobSlot, SyncRun
from .sign_in import Invitation, OperatorSession, RecoveryCode, SecondFactor
from .signals import Signal
from .strategies import Strategy
from .triggers import EquityPeak, LimitBand, TriggerState

__all__ = [
    "Alert",
    "AlertChannel",
    "AlertDelivery",
    "ApiToken",
    "ApprovalRequest",
    "AuditCheckpoint",
    "AuditEntry",
    "AuditStreamHead",
    "Balance",
    "Break",
    "BreakKind",
    "BreakState",
    "ControlEpoch",
    "Credential",
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
    "Sweep",
    "SweepVerdict",
    "SyncRun",
    "TriggerState",
]
