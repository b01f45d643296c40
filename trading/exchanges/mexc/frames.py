"""MEXC's binary frames: the fields by their numbers, and the message classes made from that table at import.

The wire format is protobuf (proto3) [PB: the venue's published .proto files, June 2026]. There is no generated code:
one table says everything. Fields and bodies that are not in it are skipped, as proto3 has it; a field that is absent
reads as its zero value, so a zero and a silence look the same. Pure; the only exception is MalformedAnswer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf import descriptor_pb2, message_factory
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError

from trading.domain.errors import MalformedAnswer

Kind = descriptor_pb2.FieldDescriptorProto
TEXT, INT32, INT64, BOOL = Kind.TYPE_STRING, Kind.TYPE_INT32, Kind.TYPE_INT64, Kind.TYPE_BOOL
Fields = Mapping[str, tuple[int, int]]

# Only what is read, and what a person who looks into a frame wants to see beside it.
ORDERS: Fields = {
    "id": (1, TEXT),
    "clientId": (2, TEXT),
    "price": (3, TEXT),
    "quantity": (4, TEXT),
    "orderType": (7, INT32),
    "tradeType": (8, INT32),
    "remainQuantity": (11, TEXT),
    "cumulativeQuantity": (13, TEXT),
    "cumulativeAmount": (14, TEXT),
    "status": (15, INT32),
    "createTime": (16, INT64),
}
DEALS: Fields = {
    "price": (1, TEXT),
    "quantity": (2, TEXT),
    "tradeType": (4, INT32),
    "isMaker": (5, BOOL),
    "tradeId": (7, TEXT),
    "clientOrderId": (8, TEXT),
    "orderId": (9, TEXT),
    "time": (12, INT64),
}
ACCOUNT: Fields = {
    "vcoinName": (1, TEXT),
    "balanceAmount": (3, TEXT),
    "frozenAmount": (5, TEXT),
    "type": (7, TEXT),
    "time": (8, INT64),
}
WRAPPER: Fields = {
    "channel": (1, TEXT),
    "symbol": (3, TEXT),
    "createTime": (5, INT64),
    "sendTime": (6, INT64),
}
# The bodies of the wrapper: name, number, fields.
BODIES: Mapping[str, tuple[int, Fields]] = {
    "privateOrders": (304, ORDERS),
    "privateDeals": (306, DEALS),
    "privateAccount": (307, ACCOUNT),
}
_PACKAGE, _WRAPPER_NAME = "mexc", "PushDataV3ApiWrapper"


def _describe(message: Any, fields: Fields) -> None:
    for name, (number, kind) in fields.items():
        message.field.add(name=name, number=number, type=kind, label=Kind.LABEL_OPTIONAL)


def _make_wrapper_class() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="mexc_stream.proto", package=_PACKAGE, syntax="proto3")
    wrapper = file.message_type.add(name=_WRAPPER_NAME)
    _describe(wrapper, WRAPPER)
    wrapper.oneof_decl.add(name="body")
    for name, (number, fields) in BODIES.items():
        type_name = f"{name[0].upper()}{name[1:]}V3Api"
        _describe(file.message_type.add(name=type_name), fields)
        wrapper.field.add(
            name=name,
            number=number,
            type=Kind.TYPE_MESSAGE,
            type_name=f".{_PACKAGE}.{type_name}",
            label=Kind.LABEL_OPTIONAL,
            oneof_index=0,
        )
    pool = DescriptorPool()  # one of its own: the process's common pool may hold the venue's real files
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{_WRAPPER_NAME}"))


PushFrame = _make_wrapper_class()


def decode_frame(data: bytes) -> Any:
    """The wrapper with its body. Raises MalformedAnswer for bytes that are no such frame."""
    try:
        return PushFrame.FromString(data)
    except (DecodeError, ValueError) as error:  # ValueError: a text that is no UTF-8
        raise MalformedAnswer(
            f"The frame of {len(data)} bytes is unreadable ({type(error).__name__})."
        ) from None
