"""What is forked is as what is begun: of the network of whoever begins it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.program import running
from tests.faults.namespaces import two_machines

if TYPE_CHECKING:
    from tests.cli.program import Server


@pytest.mark.peer
def test_a_program_is_of_the_network_that_it_is_begun_in(tmp_path: Path) -> None:
    """Whichever network the first one of a run was in."""

    def network(server: Server) -> Path:
        return Path(f"/proc/{server.pid}/ns/net").readlink()

    with running(tmp_path / "here") as here, two_machines() as net:
        with net.inside(net.house), running(tmp_path / "there") as there:
            its = Path("/proc/thread-self/ns/net").readlink()
            assert network(there) == its != network(here)
        with running(tmp_path / "again") as again:
            assert network(again) == network(here) == Path("/proc/thread-self/ns/net").readlink()
