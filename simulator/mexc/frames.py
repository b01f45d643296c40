"""MEXC's binary frames: one table of field numbers, and the message classes built from it.

Protobuf's own machinery writes the bytes; there is no generated code. It is loaded for the first stream and not
before, because most runs have none. As proto3 has it, a field at its zero value is not written.
"""

from __future__ import annotations

from functools import cache
from typing import Any

STRING, INT32, INT64, BOOL = "TYPE_STRING", "TYPE_INT32", "TYPE_INT64", "TYPE_BOOL"
Fields = dict[str, tuple[int, str]]

ORDERS: Fields = {
    "id": (1, STRING),
    "clientId": (2, STRING),
    "price": (3, STRING),
    "quantity": (4, STRING),
    "amount": (5, STRING),
    "avgPrice": (6, STRING),
    "orderType": (7, INT32),
    "tradeType": (8, INT32),
    "isMaker": (9, BOOL),
    "remainAmount": (10, STRING),
    "remainQuantity": (11, STRING),
    "lastDealQuantity": (12, STRING),
    "cumulativeQuantity": (13, STRING),
    "cumulativeAmount": (14, STRING),
    "status": (15, INT32),
    "createTime": (16, INT64),
}
DEALS: Fields = {
    "price": (1, STRING),
    "quantity": (2, STRING),
    "amount": (3, STRING),
    "tradeType": (4, INT32),
    "isMaker": (5, BOOL),
    "isSelfTrade": (6, BOOL),
    "tradeId": (7, STRING),
    "clientOrderId": (8, STRING),
    "orderId": (9, STRING),
    "feeAmount": (10, STRING),
    "feeCurrency": (11, STRING),
    "time": (12, INT64),
}
ACCOUNT: Fields = {
    "vcoinName": (1, STRING),
    "coinId": (2, STRING),
    "balanceAmount": (3, STRING),
    "balanceAmountChange": (4, STRING),
    "frozenAmount": (5, STRING),
    "frozenAmountChange": (6, STRING),
    "type": (7, STRING),
    "time": (8, INT64),
}
WRAPPER: Fields = {
    "channel": (1, STRING),
    "symbol": (3, STRING),
    "symbolId": (4, STRING),
    "createTime": (5, INT64),
    "sendTime": (6, INT64),
}
# The wrapper's body: field name -> number, type of the message, its fields.
BODIES = {
    "privateOrders": (304, "PrivateOrdersV3Api", ORDERS),
    "privateDeals": (306, "PrivateDealsV3Api", DEALS),
    "privateAccount": (307, "PrivateAccountV3Api", ACCOUNT),
}
_PACKAGE, _WRAPPER_NAME = "simulated.mexc", "PushDataV3ApiWrapper"


@cache
def load_wrapper() -> Any:
    """The class of the whole frame, built at the first call."""
    from google.protobuf import descriptor_pb2, message_factory
    from google.protobuf.descriptor_pool import DescriptorPool

    file = descriptor_pb2.FileDescriptorProto(name="simulated_mexc.proto", package=_PACKAGE, syntax="proto3")
    wrapper = file.message_type.add(name=_WRAPPER_NAME)
    _describe_fields(wrapper, WRAPPER)
    wrapper.oneof_decl.add(name="body")
    for name, (number, type_name, fields) in BODIES.items():
        _describe_fields(file.message_type.add(name=type_name), fields)
        body = {"type": "TYPE_MESSAGE", "type_name": f".{_PACKAGE}.{type_name}", "oneof_index": 0}
        wrapper.field.add(name=name, number=number, label="LABEL_OPTIONAL", **body)
    pool = DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{_WRAPPER_NAME}"))


def _describe_fields(message: Any, fields: Fields) -> None:
    for name, (number, kind) in fields.items():
        message.field.add(name=name, number=number, type=kind, label="LABEL_OPTIONAL")


def encode_frame(body: str, content: dict[str, object], **wrapper: object) -> bytes:
    """`body` names the wrapper's field that `content` fills; the rest are the wrapper's own fields."""
    frame: bytes = load_wrapper()(**{body: content}, **wrapper).SerializeToString(deterministic=True)
    return frame
