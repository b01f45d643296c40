"""The binary frames, against frames that were encoded with the venue's own definitions."""

from __future__ import annotations

from simulator.mexc.frames import encode_frame, load_wrapper
from simulator.mexc.pushes import ACCOUNT, DEALS, ORDERS

ORDER_HEX = (
    "0a1d73706f7440707269766174652e6f72646572732e76332e6170692e70621a064d585553445430a98095d4c4328213540a1a"
    "4330325f5f3530353937393031373433393030323632343131351a06332e353132312201312a01303206332e36393632380540"
    "025201305a01306201316a01317206332e3639363278028001938095d4c432"
)
DEAL_HEX = (
    "0a1c73706f7440707269766174652e6465616c732e76332e6170692e70621a064d585553445430dc8095d4c4329213690a0633"
    "2e363936321201311a06332e3639363220023a1435303539373930313734333930303236323458314a1a4330325f5f35303539"
    "37393031373433393030323632343131355215302e303030333939383337373336393639383137315a024d5860a88095d4c432"
)
ACCOUNT_HEX = (
    "0a1e73706f7440707269766174652e6163636f756e742e76332e6170692e706228c18095d4c43230c38095d4c4329a135f0a04"
    "55534454122031323866353839323731636234393531623033653731653633323365623762651a1132312e3934323130333536"
    "303034333834220231302a01303201303a11434f4e54524143545f5452414e5346455240b0b58dd4c432"
)


def test_an_order_frame_is_encoded_byte_for_byte_as_the_venue_does():
    content = {
        "id": "C02__505979017439002624115",
        "price": "3.5121",
        "quantity": "1",
        "amount": "0",
        "avgPrice": "3.6962",
        "orderType": 5,
        "tradeType": 2,
        "remainAmount": "0",
        "remainQuantity": "0",
        "lastDealQuantity": "1",
        "cumulativeQuantity": "1",
        "cumulativeAmount": "3.6962",
        "status": 2,
        "createTime": 1736417034259,
    }
    frame = encode_frame("privateOrders", content, channel=ORDERS, symbol="MXUSDT", sendTime=1736417034281)
    assert frame.hex() == ORDER_HEX


def test_a_deal_frame_is_encoded_byte_for_byte_as_the_venue_does():
    content = {
        "price": "3.6962",
        "quantity": "1",
        "amount": "3.6962",
        "tradeType": 2,
        "tradeId": "505979017439002624X1",
        "orderId": "C02__505979017439002624115",
        "feeAmount": "0.0003998377369698171",
        "feeCurrency": "MX",
        "time": 1736417034280,
    }
    frame = encode_frame("privateDeals", content, channel=DEALS, symbol="MXUSDT", sendTime=1736417034332)
    assert frame.hex() == DEAL_HEX


def test_an_account_frame_is_encoded_byte_for_byte_as_the_venue_does():
    content = {
        "vcoinName": "USDT",
        "coinId": "128f589271cb4951b03e71e6323eb7be",
        "balanceAmount": "21.94210356004384",
        "balanceAmountChange": "10",
        "frozenAmount": "0",
        "frozenAmountChange": "0",
        "type": "CONTRACT_TRANSFER",
        "time": 1736416910000,
    }
    times = {"createTime": 1736417034305, "sendTime": 1736417034307}
    assert encode_frame("privateAccount", content, channel=ACCOUNT, **times).hex() == ACCOUNT_HEX


def test_a_field_at_its_zero_value_is_not_written():
    full = load_wrapper().FromString(encode_frame("privateDeals", {"isMaker": True}, channel=DEALS))
    empty = encode_frame("privateDeals", {"isMaker": False, "clientOrderId": ""}, channel=DEALS)
    assert full.privateDeals.isMaker
    assert empty == encode_frame("privateDeals", {}, channel=DEALS)
