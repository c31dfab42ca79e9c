"""All checks of `underway check`, in the order of its page. Pure: judged from what was seen."""

from collections.abc import Iterator
from typing import Final

from underway.model.check import REACHING, CheckResult, failed, passed, warned
from underway.model.host_checks import host_results
from underway.model.look import HostLook, InsideLook, Looks, Way
from underway.model.names import HostName
from underway.model.network_checks import network_results
from underway.model.snapshot import HostState, Snapshot, Unreachable
from underway.model.spec import AppSpec, HostSpec

_HERE: Final = HostName("")


def check_hosts(
    spec: AppSpec, snapshot: Snapshot, looks: Looks | None = None
) -> tuple[CheckResult, ...]:
    """Whether the app's hosts can carry it, host by host in the file's order."""
    seen = looks or Looks()
    results: list[CheckResult] = []
    if seen.tools is not None:
        results.append(failed(_HERE, "tools image", seen.tools.text, seen.tools.remedy))
    for host in spec.hosts:
        state = snapshot.host(host.name)
        if isinstance(state, Unreachable):
            results.append(_lost(host, state))
            continue
        look = seen.hosts.get(host.name, HostLook())
        results += _way(host, look.way)
        results += _alone(snapshot, state, seen)
        results += host_results(snapshot, state, look)
        results += network_results(spec, state, seen)
    return tuple(results)


def _lost(host: HostSpec, seen: Unreachable) -> CheckResult:
    there = f"docker -H {host.url} version" if "://" in host.url else "docker version"
    remedy = seen.hint or f"bring the host and its engine back, until `{there}` answers"
    return failed(host.name, REACHING, f"does not answer: {seen.reason}", remedy)


def _way(host: HostSpec, way: Way) -> Iterator[CheckResult]:
    """A local socket cannot be reached in a worse way, so that nothing is said of it."""
    if way is Way.SSH:
        yield passed(host.name, REACHING, "SSH forwards the engine's socket")
    elif way is Way.TLS:
        yield passed(host.name, REACHING, "TLS with a client certificate")
    elif way is Way.DIAL:
        yield warned(
            host.name,
            REACHING,
            "SSH forbids forwarding; `docker system dial-stdio` is used, a login per connection",
            "allow AllowStreamLocalForwarding in the host's sshd_config: deploys get quicker",
        )


def _alone(snapshot: Snapshot, host: HostState, looks: Looks) -> Iterator[CheckResult]:
    """Two names for one engine would place a service twice on it, and lock it against itself.

    Cloned machines tell the same id, so that what both names really show decides where it is known.
    """
    look = looks.hosts.get(host.name)
    if look is not None and isinstance(look.inside, InsideLook):
        twins = set(look.is_same_as)
    else:
        twins = {
            other.name
            for other in snapshot.reachable
            if other.name != host.name and host.facts.id and other.facts.id == host.facts.id
        }
    if twins:
        yield failed(
            host.name,
            "identity",
            f"is the same engine as {', '.join(sorted(twins))}",
            "name each engine once under x-underway.hosts",
        )
