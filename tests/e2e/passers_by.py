"""Other apps on the same edges, which reload the proxies while this app's deploy is on its way."""

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Final

from tests.e2e.client import Running
from tests.e2e.project import Project
from tests.laboratories import Fleet
from underway.adapters.connector import DockerConnector
from underway.adapters.haproxy import HaproxyProxy
from underway.model.names import AppName, HostName, RunNumber, ServiceName
from underway.model.spec import HostSpec, ProbeSpec, ProxySpec
from underway.model.traffic import Side, Upstream

LONGEST_PAUSE_S: Final = 2.0
"""A client that is paused for longer than its lock's heartbeat allows would lose its lock."""


@dataclass
class PassersBy:
    """Changes the structure of an app on every edge, which needs a reload each time."""

    fleet: Fleet
    proxies: dict[str, HaproxyProxy]
    reloads: int = 0
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def pass_by(self, pool: ThreadPoolExecutor, running: Running) -> None:
        """Reload every edge while `running` is stopped between two of its steps."""
        number = next(self._numbers)
        running.pause()
        changes = [pool.submit(self._change, proxy, number) for proxy in self.proxies.values()]
        wait(changes, timeout=LONGEST_PAUSE_S)
        running.resume()
        for change in changes:
            change.result()
        self.reloads += 1

    def _change(self, proxy: HaproxyProxy, number: int) -> None:
        proxy.apply(passing(number), RunNumber(1))

    def at_every_step(self, running: Running) -> None:
        """Until `running` ends: a reload of every edge whenever it began steps."""
        seen = 0
        with ThreadPoolExecutor(len(self.proxies)) as pool:
            while not running.is_over:
                begun = running.err.count("\nstart ")
                if begun > seen:
                    seen = begun
                    self.pass_by(pool, running)


def passing(number: int) -> Upstream:
    """An app that comes with every second number under another name, and then changes."""
    app = AppName(f"passer-{number // 2 % 3}")
    probe = ProbeSpec(path=f"/up?{number}")
    proxy = ProxySpec(hosts=(f"{app}.test",), port=8080, probe=probe)
    return Upstream(app, ServiceName("web"), proxy, Side.A)


@contextmanager
def passers_by(project: Project) -> Iterator[PassersBy]:
    """Passers-by at the edges of `project`, connections closed in the end."""
    with ExitStack() as stack:
        connector = stack.enter_context(DockerConnector())
        hosts = {host.name: host.url for host in project.fleet.laboratory.hosts}
        yield PassersBy(
            project.fleet,
            {
                edge: HaproxyProxy(connector.connect(HostSpec(HostName(edge), hosts[edge])))
                for edge in project.edges
            },
        )
