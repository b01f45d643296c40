"""The installation that keeps the large data set: servers and venue only, under var/bench-large, never removed."""

from __future__ import annotations

import re

from benchmarks.large_set import make
from rig.instance import PROJECT, StackInstance

HOME = PROJECT / "var" / "bench-large"


class LargeStack(StackInstance):
    def __init__(self, *arguments: str) -> None:
        super().__init__(*arguments)
        self.home.rmdir()
        HOME.mkdir(parents=True, exist_ok=True)
        HOME.chmod(0o711)
        self.home, self.log = HOME, HOME / "up.log"

    def start(self) -> None:
        super().start()
        make(self.owner_url)

    def remove(self) -> None:
        """It is kept for the next time; remove the folder by hand."""

    @property
    def owner_url(self) -> str:
        """For tables' owners: the data set takes indexes off and puts them back."""
        password = (self.home / "secrets" / "postgres_password").read_text().strip()
        services = (self.home / "run" / "services.json").read_text()
        found = re.search(r"postgresql://[^@]*@([^/]+)/(\w+)", services)
        assert found is not None, "this installation has no embedded database"
        return f"postgresql://levi:{password}@{found[1]}/{found[2]}"
