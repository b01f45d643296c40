"""What can be chosen about a simulated venue, at start by flags and later through the control interface."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from decimal import Decimal, InvalidOperation

from simulator.core.fees import FEE_POLICIES


class SettingRefused(ValueError):
    """A setting's name or content is not usable; the message names what, why and the remedy."""


CHOICES: dict[str, tuple[str, ...]] = {
    "duplicate_client_ids": ("accept", "reject", "open"),
    "fee_asset": FEE_POLICIES,
    "cancel_status": ("NEW", "CANCELED"),
    "fills_page": ("1000", "100"),
    "late_cancels": ("refuse", "acknowledge"),
}
SPANS = ("decision_seconds",)
FLAGS = ("limits_enabled",)
NUMBERS = (
    "limits_scale",
    "listen_key_seconds",
    "stream_quiet_seconds",
    "stream_unsubscribed_seconds",
    "stream_ping_seconds",
)


@dataclass(slots=True)
class VenueSettings:
    duplicate_client_ids: str = "accept"
    fee_asset: str = "quote"
    cancel_status: str = "NEW"
    fills_page: str = "1000"
    late_cancels: str = "refuse"
    limits_enabled: bool = True
    limits_scale: Decimal = Decimal(1)
    listen_key_seconds: Decimal = Decimal(3_600)
    stream_quiet_seconds: Decimal = Decimal(60)
    stream_unsubscribed_seconds: Decimal = Decimal(30)
    stream_ping_seconds: Decimal = Decimal(20)
    decision_seconds: Decimal = Decimal(0)

    def change_all(self, wanted: dict[str, object]) -> None:
        """All or nothing."""
        for name, content in {name: read_setting(name, content) for name, content in wanted.items()}.items():
            setattr(self, name, content)

    def as_json(self) -> dict[str, object]:
        return {
            name: str(content) if isinstance(content, Decimal) else content
            for name, content in asdict(self).items()
        }


def read_setting(name: str, wanted: object) -> object:
    if name in CHOICES:
        if wanted not in CHOICES[name]:
            raise SettingRefused(f"{name} is {wanted!r}; use one of {', '.join(CHOICES[name])}")
        return wanted
    if name in FLAGS:
        if not isinstance(wanted, bool):
            raise SettingRefused(f"{name} is {wanted!r}; use true or false")
        return wanted
    if name in NUMBERS:
        return _read_number(name, wanted, may_be_zero=False)
    if name in SPANS:
        return _read_number(name, wanted, may_be_zero=True)
    known = ", ".join(field.name for field in fields(VenueSettings))
    raise SettingRefused(f"there is no setting {name!r}; known settings: {known}")


def _read_number(name: str, wanted: object, *, may_be_zero: bool) -> Decimal:
    try:
        number = Decimal(str(wanted))
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or number < 0 or (not number and not may_be_zero):
        raise SettingRefused(f"{name} is {wanted!r}; use a number {'from' if may_be_zero else 'above'} 0")
    return number
