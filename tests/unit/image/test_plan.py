"""Which hosts lack which image: golden steps from small snapshots."""

from underway.image.plan import images_by_host, transfer_lanes
from underway.image.steps import keep_reference
from underway.model.image import ImageIdentity, ImageState
from underway.model.names import AppName, HostName, ServiceName
from underway.model.plan import Lane
from underway.model.release import ServiceImage
from underway.model.snapshot import EngineFacts, HostState, Snapshot, Unreachable
from underway.model.spec import AppSpec, HostSpec, ServiceSpec
from underway.model.step import PullImage, SendImage

A, B, C = HostName("a"), HostName("b"), HostName("c")
PUSHED = ImageIdentity("r.io/x:1", "sha256:c1", "sha256:m1", "r.io/x")
SENT = ImageIdentity("y:1", "sha256:c2")
FACTS = EngineFacts("26.1", "1.45")
SPEC = AppSpec(
    AppName("app"),
    (
        ServiceSpec(ServiceName("web"), "", (A, B)),
        ServiceSpec(ServiceName("worker"), "", (A,)),
        ServiceSpec(ServiceName("db"), "", (C,)),
    ),
    (HostSpec(A, ""), HostSpec(B, ""), HostSpec(C, "")),
)
IMAGES = (
    ServiceImage(ServiceName("web"), PUSHED),
    ServiceImage(ServiceName("worker"), PUSHED),
    ServiceImage(ServiceName("db"), SENT),
)


def _image(id_: str, tags: tuple[str, ...] = (), digests: tuple[str, ...] = ()) -> ImageState:
    return ImageState(id_, tags, digests, (), 1, "")


def _snapshot(**images: tuple[ImageState, ...]) -> Snapshot:
    hosts = tuple(HostState(HostName(name), FACTS, images=images[name]) for name in sorted(images))
    return Snapshot(AppName("app"), hosts)


def test_one_image_of_two_services_goes_to_a_host_once() -> None:
    wanted = images_by_host(SPEC, IMAGES)
    assert wanted == {A: (PUSHED,), B: (PUSHED,), C: (SENT,)}
    assert transfer_lanes(wanted, _snapshot(a=(), b=(), c=()), "new") == (
        Lane(A, (PullImage(A, PUSHED, "new"),)),
        Lane(B, (PullImage(B, PUSHED, "new"),)),
        Lane(C, (SendImage(C, SENT, "new"),)),
    )


def test_where_the_image_is_nothing_is_done() -> None:
    pulled = _image("sha256:c1", digests=("r.io/x@sha256:m1",))
    here = _snapshot(a=(pulled,), b=(pulled,), c=(_image("sha256:c2"),))
    assert transfer_lanes(images_by_host(SPEC, IMAGES), here, "new") == ()


def test_an_image_that_was_pushed_twice_is_known_by_either_digest() -> None:
    pushed = _image("sha256:c1", digests=("r.io/x@sha256:m0", "r.io/x@sha256:m1"))
    assert transfer_lanes({A: (PUSHED,)}, _snapshot(a=(pushed,)), "new") == ()


def test_an_image_that_came_from_elsewhere_is_pulled_for_its_name() -> None:
    promoted = _image("sha256:c1", ("r.io/staging:1",), ("r.io/staging@sha256:m1",))
    here = _snapshot(a=(promoted,), b=(_image("sha256:c1"),))
    assert transfer_lanes({A: (PUSHED,), B: (PUSHED,)}, here, "new") == (
        Lane(A, (PullImage(A, PUSHED, "new"),)),
        Lane(B, (PullImage(B, PUSHED, "new"),)),
    )


def test_the_same_tag_on_another_content_does_not_count() -> None:
    here = _snapshot(a=(_image("sha256:zz", ("r.io/x:1",), ("r.io/x@sha256:m1",)),))
    assert transfer_lanes({A: (PUSHED,)}, here, "new") == (Lane(A, (PullImage(A, PUSHED, "new"),)),)


def test_an_engine_with_manifest_ids_proves_by_manifest_or_by_the_verified_tag() -> None:
    by_id = _image("sha256:m1", digests=("r.io/x@sha256:m1",))
    own = _image("sha256:m9", (keep_reference(SENT),), ("y@sha256:m9",))
    named = _image("sha256:m9", ("y:1",), ("y@sha256:m9",))
    assert transfer_lanes({A: (PUSHED,)}, _snapshot(a=(by_id,)), "new") == ()
    assert transfer_lanes({A: (SENT,)}, _snapshot(a=(own,)), "new") == ()
    assert transfer_lanes({A: (SENT,)}, _snapshot(a=(named,)), "new")


def test_a_host_that_was_not_observed_gets_no_step() -> None:
    snapshot = Snapshot(AppName("app"), (Unreachable(A, "cut"),))
    assert transfer_lanes({A: (PUSHED,)}, snapshot, "new") == ()
