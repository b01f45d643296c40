"""The faults by name, as `--faults` takes them. A new one is a row here or in the module of its family."""

from __future__ import annotations

from soak.deaths import DEATHS
from soak.fault_kind import FaultKind
from soak.halting import KillSwitch, make_halts
from soak.prices import PRICES
from soak.weather import WEATHER

DEFAULT = "default"
HALT = "halt"


def make_kinds(switch: KillSwitch) -> dict[str, FaultKind]:
    return {HALT: make_halts(switch), **WEATHER, **DEATHS, **PRICES}


# For names, meanings and rhythms; a run makes its own, with its own kill switch.
KINDS_OF_FAULTS = make_kinds(KillSwitch([]))
EVERY_HOURS = {name: kind.every_hours for name, kind in KINDS_OF_FAULTS.items()}
