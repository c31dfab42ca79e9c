"""Ship: every service's image built or resolved, named, pushed, and told by digest.

Each distinct build runs once. A tag that a registry already holds is never moved: where it holds
what this very commit and definition built, that image is taken instead of a new one, so that one
commit is one image from test to production; otherwise the run is refused.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from underway.errors import (
    ConfigurationError,
    EngineError,
    RefusedError,
    UnderwayError,
    UsageError,
)
from underway.errors.suggestion import name_hint
from underway.image.apply import config_digest_of
from underway.image.built import Built
from underway.image.definition import fingerprint, sameness, with_labels, with_platform
from underway.image.exposed import with_ports
from underway.image.named import named_image
from underway.image.reference import Reference, parse_reference
from underway.image.steps import digests_in
from underway.image.tags import SourceFacts, TagContext, finish, stems, version_of
from underway.image.yard import Yard, first_host
from underway.model.image import ImageIdentity, ImageState
from underway.model.names import LABEL_APP, ServiceName
from underway.model.release import Release, ServiceImage
from underway.model.sensitive import SensitiveValues
from underway.model.spec import AppSpec, BuildSpec, ServiceSpec

LABEL_REVISION: Final = "org.opencontainers.image.revision"
LABEL_VERSION: Final = "org.opencontainers.image.version"
LABEL_BUILD: Final = "underway.build"
"""Digest of the build's definition, without values and local paths."""


@dataclass(frozen=True, slots=True)
class ShipWish:
    """What shall be shipped. `refresh` names services whose `image:` is resolved anew.

    Where `only` is not empty, services that it does not name keep the images of `previous`. With
    `requires_clean`, uncommitted work is refused. Builds that differ in nothing but the names of
    their sensitive `values` are one.
    """

    spec: AppSpec
    source: SourceFacts
    context: TagContext = field(default_factory=TagContext)
    previous: Release | None = None
    refresh: frozenset[ServiceName] = frozenset()
    requires_clean: bool = False
    only: frozenset[ServiceName] = frozenset()
    values: SensitiveValues = field(default_factory=dict)

    def left_out(self) -> dict[ServiceName, ImageIdentity]:
        """The images of services that are not asked for."""
        kept = self.previous.images if self.previous and self.only else ()
        return {entry.service: entry.image for entry in kept if entry.service not in self.only}


@dataclass(frozen=True, slots=True)
class Shipment:
    """What shipping gave: the specification with ports the images told, and an identity each."""

    spec: AppSpec
    images: tuple[ServiceImage, ...]
    tag: str
    commit: str
    tags: tuple[str, ...] = ()
    version: str = ""


Prove = Callable[[Mapping[ServiceName, ImageIdentity]], bool]
"""Called with all images before any is pushed; raises what ends the run, False pushes nothing."""


def ship(wish: ShipWish, yard: Yard, prove: Prove = lambda _: True) -> Shipment:
    """Build and resolve, have all images proved, then tag and push what was built.

    Nothing on any host changes but images.

    Raises RefusedError (`build-failed`, `source-dirty`, `tag-taken`, `tag-unknown`,
    `platforms-mixed`),
    ConfigurationError, UnreachableError (`registry-unreachable`), EngineError, UsageError
    (`service-unknown`) where a service to refresh is not in the file.
    """
    _require_known(wish)
    left_out = wish.left_out()
    built = [s for s in wish.spec.services if s.build is not None and s.name not in left_out]
    if built:
        _require_committed(wish)
    tags = stems(wish.spec.tags, wish.source, wish.context) if built else ()
    images = {s.name: left_out[s.name] for s in wish.spec.services if s.name in left_out}
    builds = [_Build(wish, yard, group, tags).run() for group in _groups(wish, built)]
    for build in builds:
        images.update(build.candidates())
    for service in wish.spec.services:
        if service.name not in images:
            images[service.name] = named_image(
                service,
                None if service.name in wish.refresh else kept_image(wish.previous, service),
                engine=first_host(service, yard),
                workshop=yard.engine,
                progress=yard.progress,
            )
    if prove(images):
        for build in builds:
            images.update(build.publish())
    return Shipment(
        spec=with_ports(wish.spec, yard, images),
        images=tuple(ServiceImage(name, images[name]) for name in sorted(images)),
        tag=builds[0].tags[0] if builds else "",
        commit=wish.source.revision,
        tags=builds[0].tags if builds else (),
        version=_version(wish) if builds else "",
    )


class _Build:
    """One distinct build, for all services that name it."""

    def __init__(
        self, wish: ShipWish, yard: Yard, services: tuple[ServiceSpec, ...], stems_: tuple[str, ...]
    ) -> None:
        self._wish = wish
        self._yard = yard
        self._engine = yard.engine
        self._services = services
        self._stems = stems_
        self._names = {service.name: repository_of(wish.spec, service) for service in services}
        self._repositories = tuple(dict.fromkeys(self._names.values()))

    def run(self) -> Built:
        """The image, built or taken from the registry."""
        build = self._labelled()
        there = {ref: self._registered(ref) for ref in self._references(self._stems)}
        state = self._built_before(there)
        if state is None:
            try:
                image_id = self._yard.builder.build(build, (), self._yard.progress)
            except UnderwayError as error:
                error.place = error.place or self._services[0].place
                raise
            state = self._engine.image(image_id)
        if state is None:
            raise EngineError("image-missing", f"{self._engine.host}: the built image is gone")
        digest = config_digest_of(self._engine, state)
        tags = self._final_tags(state, digest)
        for reference in self._references(tags):
            self._refuse_moving(reference, there.get(reference, ""), state)
        return Built(self._engine, self._yard.progress, state, digest, tags, self._names)

    def _labelled(self) -> BuildSpec:
        first = self._services[0]
        if first.build is None:
            raise ConfigurationError("build-key", f"`{first.name}` has no build")
        labels = {
            LABEL_APP: self._wish.spec.name,
            LABEL_BUILD: self._fingerprint(),
            # Without a commit the stem holds today's date, which must not change the image.
            LABEL_VERSION: self._stems[0] if self._wish.source.commit else "",
            LABEL_REVISION: self._wish.source.revision,
        }
        build = with_labels(first.build, {key: value for key, value in labels.items() if value})
        return with_platform(build, platform) if (platform := self._platform()) else build

    def _fingerprint(self) -> str:
        build = self._services[0].build
        return fingerprint(build, self._wish.source.root) if build else ""

    def _platform(self) -> str:
        """The hosts' platform, where the building engine is of another one; "" where alike."""
        names = {host for service in self._services for host in service.hosts}
        kinds = {
            self._yard.hosts[name].facts().architecture
            for name in sorted(names)
            if name in self._yard.hosts
        }
        if len(kinds) > 1:
            raise RefusedError(
                "platforms-mixed",
                f"the hosts of `{self._services[0].name}` are of several kinds: "
                + ", ".join(sorted(kinds)),
                hint="Place each service on hosts of one kind.",
            )
        kind = next(iter(kinds), "")
        return f"linux/{kind}" if kind and kind != self._engine.facts().architecture else ""

    def _references(self, tags: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(repo.tagged(tag) for repo in self._repositories for tag in tags if tag)

    def _registered(self, reference: str) -> str:
        """The digest a registry holds under a tag, or "" without a registry or such a tag."""
        if not parse_reference(reference).names_registry or not self._wish.source.is_exact:
            return ""
        try:
            return self._engine.resolve(reference)
        except EngineError:
            return ""  # no such tag, or a registry that hides what is not there

    def _built_before(self, there: Mapping[str, str]) -> ImageState | None:
        """What a registry holds of this very commit and definition, or None."""
        for reference, digest in there.items():
            if not digest:
                continue
            pulled = f"{parse_reference(reference).repository}@{digest}"
            if self._engine.image(pulled) is None:
                self._engine.pull(pulled)
            state = self._engine.image(pulled)
            labels = dict(state.labels) if state else {}
            if (
                labels.get(LABEL_REVISION) == self._wish.source.commit
                and labels.get(LABEL_BUILD) == self._fingerprint()
            ):
                self._yard.progress(f"{reference} is built and pushed already: {digest}")
                return state
        return None

    def _final_tags(self, state: ImageState, digest: str) -> tuple[str, ...]:
        """The tags; one that names another image on this engine only gets this one's digits."""
        tags = []
        for stem in self._stems:
            tag = finish(stem, self._wish.source, digest)
            holders = [
                self._engine.image(repo.tagged(tag))
                for repo in self._repositories
                if not repo.names_registry
            ]
            if any(holder is not None and holder.id != state.id for holder in holders):
                tag = finish(stem, replace(self._wish.source, commit=""), digest)
            tags.append(tag)
        return tuple(dict.fromkeys(tags))

    def _refuse_moving(self, reference: str, there: str, state: ImageState) -> None:
        if not there or there in digests_in(state, parse_reference(reference).repository):
            return
        raise RefusedError(
            "tag-taken",
            f"{reference} names another image already, and a tag is never moved",
            cause=f"the registry has {there}, this build is {state.id}",
            hint="Commit the change that made the difference, or add `{build}` to `tags:`.",
        )


def _require_known(wish: ShipWish) -> None:
    names = [service.name for service in wish.spec.services]
    for name in sorted(wish.refresh - set(names)):
        raise UsageError(
            "service-unknown",
            f"the file has no service `{name}`",
            hint=name_hint(name, names),
        )


def _require_committed(wish: ShipWish) -> None:
    if not wish.requires_clean or wish.source.is_exact:
        return
    what = "there are uncommitted changes" if wish.source.commit else "the source is no git commit"
    raise RefusedError(
        "source-dirty",
        f"{what}, and the policy ships commits only",
        cause="`policy: {require: [clean]}` of the file",
        hint="Commit, or put aside what differs (`git status` shows it).",
    )


def _version(wish: ShipWish) -> str:
    """The version that this commit has from now on; "" where no tag says it, or for no commit."""
    is_named = any("{semver}" in strategy for strategy in wish.spec.tags)
    return version_of(wish.source, wish.context) if is_named and wish.source.is_exact else ""


def _groups(wish: ShipWish, built: list[ServiceSpec]) -> tuple[tuple[ServiceSpec, ...], ...]:
    """Services by equal build, in the order of their names."""
    groups: dict[Hashable, list[ServiceSpec]] = {}
    for service in sorted(built, key=lambda item: item.name):
        if service.build is not None:
            repository_of(wish.spec, service)
            groups.setdefault(sameness(service.build, wish.values), []).append(service)
    return tuple(tuple(group) for group in groups.values())


def repository_of(spec: AppSpec, service: ServiceSpec) -> Reference:
    """Where a built image is kept: `image:` without its tag, else Compose's `app-service`."""
    written = parse_reference(service.image or f"{spec.name}-{service.name}", place=service.place)
    return Reference(written.registry, written.path)


def kept_image(previous: Release | None, service: ServiceSpec) -> ImageIdentity | None:
    """The image of the previous release, where the file still says the same."""
    if previous is None:
        return None
    try:
        before = previous.spec.service(service.name)
        image = previous.image_of(service.name)
    except KeyError:
        return None
    return image if before.image == service.image and before.build is None else None
