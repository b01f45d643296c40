"""MEXC's three private channels: what a change of an order, a fill or a change of a balance looks like as a frame.

Fill ids of the stream are not those of myTrades, and the frames carry no sequence number: a client that believes them
instead of asking is to be found out here.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from hashlib import blake2b
from typing import Any

from simulator.core.events import BalanceCause, BalanceChanged, FillHappened, OrderChanged, VenueEvent
from simulator.core.money import ZERO, plain
from simulator.core.rows import SimOrder, SimOrderStatus, SimOrderType, SimSide
from simulator.mexc.frames import encode_frame

ORDERS = "spot@private.orders.v3.api.pb"
DEALS = "spot@private.deals.v3.api.pb"
ACCOUNT = "spot@private.account.v3.api.pb"
CHANNELS: dict[type, str] = {OrderChanged: ORDERS, FillHappened: DEALS, BalanceChanged: ACCOUNT}
SIDE_NUMBERS = {SimSide.BUY: 1, SimSide.SELL: 2}
TYPE_NUMBERS = {
    SimOrderType.LIMIT: 1,
    SimOrderType.LIMIT_MAKER: 2,
    SimOrderType.IMMEDIATE_OR_CANCEL: 3,
    SimOrderType.FILL_OR_KILL: 4,
    SimOrderType.MARKET: 5,
}
STATUS_NUMBERS = {
    SimOrderStatus.NEW: 1,
    SimOrderStatus.FILLED: 2,
    SimOrderStatus.PARTIALLY_FILLED: 3,
    SimOrderStatus.CANCELED: 4,
    SimOrderStatus.PARTIALLY_CANCELED: 5,
}
# A total set by hand shows as a transfer between the user's own accounts: it is in no list of deposits either.
CAUSE_WORDS = {
    BalanceCause.PLACED: "ENTRUST_PLACE",
    BalanceCause.FILLED: "ENTRUST",
    BalanceCause.CANCELED: "ENTRUST_CANCEL",
    BalanceCause.DEPOSITED: "DEPOSIT",
    BalanceCause.WITHDRAWN: "WITHDRAW",
    BalanceCause.ADJUSTED: "CONTRACT_TRANSFER",
}
AVERAGE_DECIMALS = Decimal("1e-18")


def encode_push(event: VenueEvent, sent_ms: int) -> bytes:
    return _ENCODERS[type(event)](event, sent_ms)


def _encode_order(event: OrderChanged, sent_ms: int) -> bytes:
    order, fill = event.order, event.last_fill
    average = order.filled_quote / order.filled if order.filled else ZERO
    content: dict[str, object] = {
        "id": order.order_id,
        "clientId": order.client_order_id or "",
        "price": plain(order.price),
        "quantity": plain(order.quantity),
        "amount": plain(_ordered_quote(order)),
        "avgPrice": plain(average.quantize(AVERAGE_DECIMALS)),
        "orderType": TYPE_NUMBERS[order.type],
        "tradeType": SIDE_NUMBERS[order.side],
        "isMaker": fill is not None and fill.is_maker,
        "remainAmount": plain(max(ZERO, _ordered_quote(order) - order.filled_quote)),
        "remainQuantity": plain(max(ZERO, order.remaining)),
        "cumulativeQuantity": plain(order.filled),
        "cumulativeAmount": plain(order.filled_quote),
        "status": STATUS_NUMBERS[order.status],
        "createTime": order.received_ms,
    }
    if fill is not None:
        content["lastDealQuantity"] = plain(fill.quantity)
    return encode_frame("privateOrders", content, channel=ORDERS, symbol=order.symbol, sendTime=sent_ms)


def _ordered_quote(order: SimOrder) -> Decimal:
    """A MARKET order by quantity has none."""
    return order.quote_quantity if order.type is SimOrderType.MARKET else order.price * order.quantity


def _encode_fill(event: FillHappened, sent_ms: int) -> bytes:
    fill = event.fill
    content: dict[str, object] = {
        "price": plain(fill.price),
        "quantity": plain(fill.quantity),
        "amount": plain(fill.notional),
        "tradeType": SIDE_NUMBERS[fill.side],
        "isMaker": fill.is_maker,
        "isSelfTrade": fill.is_self_trade,
        "tradeId": f"{fill.order_id.removeprefix('C02__')}X{event.number}",
        "clientOrderId": fill.client_order_id or "",
        "orderId": fill.order_id,
        "feeAmount": plain(fill.fee),
        "feeCurrency": fill.fee_asset,
        "time": fill.at_ms,
    }
    return encode_frame("privateDeals", content, channel=DEALS, symbol=fill.symbol, sendTime=sent_ms)


def _encode_balance(event: BalanceChanged, sent_ms: int) -> bytes:
    content: dict[str, object] = {
        "vcoinName": event.asset,
        "coinId": blake2b(event.asset.encode(), digest_size=16).hexdigest(),
        "balanceAmount": plain(event.free),
        "balanceAmountChange": plain(event.free_change),
        "frozenAmount": plain(event.locked),
        "frozenAmountChange": plain(event.locked_change),
        "type": CAUSE_WORDS[event.cause],
        "time": event.at_ms,
    }
    return encode_frame("privateAccount", content, channel=ACCOUNT, createTime=event.at_ms, sendTime=sent_ms)


_ENCODERS: dict[type, Callable[[Any, int], bytes]] = {
    OrderChanged: _encode_order,
    FillHappened: _encode_fill,
    BalanceChanged: _encode_balance,
}
