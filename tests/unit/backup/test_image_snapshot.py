"""What of a container an image snapshot keeps, and what it leaves out."""

import hashlib
import io
import json
import tarfile
from dataclasses import replace

from tests.unit.backup.sample import RELEASE, WEB, snapshot
from underway.adapters.snapshot_archive import (
    archived_reference,
    image_archive,
    image_config,
    spool_layer,
)
from underway.backup.image_snapshot import (
    data_volumes,
    kept_config,
    reference_of,
    snapshot_labels,
    snapshot_name,
    snapshots_of,
)
from underway.model.image import ImageState
from underway.model.names import AppName, ReleaseNumber, SensitiveName, ServiceName
from underway.model.spec import EnvVar, Mount, MountKind

APP, MOMENT = AppName("libra"), "2026-11-21T10:55:00Z"


def service():
    spec = RELEASE.spec.service(WEB)
    secret = EnvVar("TOKEN", sensitive=SensitiveName("env/web/TOKEN"))
    anonymous = Mount(MountKind.VOLUME, "", "/cache")
    return replace(spec, environment=(secret, EnvVar("A", "b")), mounts=(*spec.mounts, anonymous))


def test_a_configuration_is_kept_without_what_is_sensitive_or_ours():
    said = {
        "Config": {
            "Hostname": "abc",
            "Cmd": ["run"],
            "Entrypoint": None,
            "User": "10001",
            "Env": ["TOKEN=hush", "A=b", "COPY=xhushx", "EMPTY="],
            "Labels": {"underway.role": "replica", "team": "red", "told": "hush"},
            "Healthcheck": {"Test": ["CMD", "true"]},
        }
    }
    assert kept_config(said, service(), [b"hush", b""]) == {
        "Cmd": ["run"],
        "User": "10001",
        "Env": ["A=b", "EMPTY="],
        "Labels": {"team": "red"},
        "Healthcheck": {"Test": ["CMD", "true"]},
    }


def test_named_volumes_hold_data():
    assert data_volumes(service()) == ("uploads",)


def test_a_snapshot_on_two_hosts_is_listed_once():
    name = snapshot_name(ServiceName("web"), MOMENT)
    labels = snapshot_labels(APP, WEB, ReleaseNumber(3), created_at=MOMENT, point="p1")
    image = ImageState("sha256:1", (reference_of(APP, name),), (), tuple(labels.items()), 9, "")
    other = replace(image, labels=(("underway.snapshot.app", "vela"),))
    host = replace(snapshot().reachable[0], images=(image, other))
    (found,) = snapshots_of(APP, [host, replace(host, name="h2")])
    assert found.name == "web-20261121-105500"
    assert found.hosts == ("h1", "h2")
    assert (found.release, found.point, found.service) == (3, "p1", "web")


def exported() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, content in (("app/run", b"x" * 9000), ("etc/token", b"hush"), ("etc/plain", b"")):
            info = tarfile.TarInfo(name)
            info.size, info.mode, info.uid = len(content), 0o640, 10001
            info.pax_headers = {"SCHILY.xattr.user.note": "kept"}
            tar.addfile(info, io.BytesIO(content))
        link = tarfile.TarInfo("app/link")
        link.type, link.linkname = tarfile.LNKTYPE, "app/run"
        tar.addfile(link)
    return file.getvalue()


def test_an_archive_is_an_image_that_engines_load():
    data = exported()
    layer = io.BytesIO()
    chunks = [data[at : at + 777] for at in range(0, len(data), 777)]
    digest = spool_layer(chunks, frozenset({"/etc/token"}), layer)
    assert digest == "sha256:" + hashlib.sha256(layer.getvalue()).hexdigest()
    config = image_config({"User": "1"}, architecture="amd64", created_at=MOMENT, layer=digest)
    archive = io.BytesIO(b"".join(image_archive(config, "underway-snapshot/libra:web-1", layer)))
    assert archived_reference(archive) == "underway-snapshot/libra:web-1"
    with tarfile.open(fileobj=archive, mode="r:") as tar:
        manifest = json.load(tar.extractfile("manifest.json"))[0]
        assert manifest["Config"] == hashlib.sha256(config).hexdigest() + ".json"
        assert json.load(tar.extractfile(manifest["Config"]))["rootfs"]["diff_ids"] == [digest]
        inner = io.BytesIO(tar.extractfile("layer.tar").read())
    assert inner.getvalue() == layer.getvalue()
    with tarfile.open(fileobj=inner, mode="r:") as tar:
        kept = {member.name: member for member in tar}
    assert sorted(kept) == ["app/link", "app/run", "etc/plain"]
    assert kept["app/run"].pax_headers["SCHILY.xattr.user.note"] == "kept"
    assert (kept["app/run"].uid, kept["app/run"].mode) == (10001, 0o640)
    assert kept["app/link"].islnk()


def test_what_is_no_image_has_no_name():
    assert archived_reference(io.BytesIO(b"no archive")) == ""
    assert archived_reference(io.BytesIO(exported())) == ""
