"""A change of the edge as one archive: whole, checksummed, the same bytes for the same change."""

import hashlib
import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass

from underway.model.names import AppName, RunNumber, ServiceName
from underway.model.traffic import Upstream
from underway.rollout.haproxy_config import claims_text, fragment_text, routes_text


@dataclass(frozen=True, slots=True)
class Bundle:
    """What `edge-apply` reads from its standard input, and the checksum it is started with."""

    content: bytes

    @property
    def digest(self) -> str:
        """SHA-256 in hex; an incomplete arrival changes nothing."""
        return hashlib.sha256(self.content).hexdigest()


def upstream_bundle(upstream: Upstream, run: RunNumber) -> Bundle:
    """The change that makes an edge know exactly this upstream."""
    return archived(
        {
            "wish": _wish("apply", upstream.app, upstream.service, run),
            "claims": claims_text(upstream),
            "fragment.cfg": fragment_text(upstream),
            "routes": routes_text(upstream),
        }
    )


def removal_bundle(app: AppName, service: ServiceName | None, run: RunNumber) -> Bundle:
    """The change that makes an edge forget a service, or with None the whole app."""
    return archived({"wish": _wish("remove", app, service or "", run)})


def _wish(verb: str, app: str, service: str, run: int) -> str:
    return f"verb {verb}\napp {app}\nservice {service}\nrun {run}\n"


def archived(files: Mapping[str, str]) -> Bundle:
    """The files as one archive, in order, without times and owners."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, text in sorted(files.items()):
            data = text.encode()
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return Bundle(buffer.getvalue())
