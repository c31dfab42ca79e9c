"""The base images: stand-ins, under the laboratory's own names, for official images.

No public image registry need be reachable: the images are made of Debian's packages, once per
machine, and every laboratory's registry starts with them.
"""

import contextlib
import hashlib
import shutil
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from lab.debian import Recipe, base_tree, build_began, layer_tree
from lab.engine_roots import toolbox
from lab.layer import FORMAT, Layer, layer_of
from lab.layout import cache_root
from lab.lock import exclusive
from lab.processes import wait_until
from lab.push import Target, push_image
from lab.registry import configuration, registry_answers

_FILES = Path(__file__).with_name("image_files")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PARALLEL_BUILDS = 2


@dataclass(frozen=True, slots=True)
class Image:
    """One base image: its key in the JSON, its name and tag, and what it is made of."""

    key: str
    reference: str
    recipe: Recipe
    settings: tuple[tuple[str, object], ...] = ()

    @property
    def config(self) -> dict[str, object]:
        """Return the image's `config` section."""
        return {"Env": [f"PATH={PATH}"], "Cmd": ["/bin/bash"], **dict(self.settings)}


def install_file(name: str, target: str) -> str:
    """Return the shell lines that write one of the laboratory's files into a tree."""
    content = (_FILES / name).read_text()
    return f"cat > {target} <<'UWLAB_END'\n{content}UWLAB_END\nchmod 755 {target}"


def _haproxy(key: str, reference: str, suite: str) -> Image:
    return Image(
        key,
        reference,
        Recipe(
            key,
            suite,
            ("haproxy", "ca-certificates"),
            script="usermod --uid 99 haproxy\ngroupmod --gid 99 haproxy\n"
            "chown -R haproxy:haproxy /var/lib/haproxy\nmkdir -p /usr/local/etc/haproxy\n"
            + install_file("haproxy-entrypoint.sh", "/usr/local/bin/docker-entrypoint.sh"),
        ),
        (
            ("Entrypoint", ["docker-entrypoint.sh"]),
            ("Cmd", ["haproxy", "-f", "/usr/local/etc/haproxy/haproxy.cfg"]),
            ("User", "haproxy"),
            ("StopSignal", "SIGUSR1"),
            ("WorkingDir", "/var/lib/haproxy"),
        ),
    )


def _tools(key: str, reference: str, suite: str) -> Image:
    packages = (
        *("busybox", "ca-certificates", "haproxy", "openssh-client"),
        *("restic", "socat", "sqlite3", "tini", "zstd"),
    )
    return Image(key, reference, Recipe(key, suite, packages))


_PYTHON = Image(
    "python",
    "lab/python:3",
    Recipe(
        "python",
        "trixie",
        ("ca-certificates", "python3", "python3-pip", "python3-venv"),
        script="ln -s /usr/bin/python3 /usr/local/bin/python\n"
        "rm -f /usr/lib/python3*/EXTERNALLY-MANAGED",
    ),
    (("Env", [f"PATH={PATH}", "LANG=C.UTF-8"]), ("Cmd", ["python3"])),
)
_POSTGRES = Image(
    "postgres",
    "lab/postgres:17",
    Recipe(
        "postgres",
        "trixie",
        ("postgresql-17",),
        # Just-in-time compilation is two thirds of the packages' size; PostgreSQL runs without.
        script="rm -rf /usr/lib/x86_64-linux-gnu/libLLVM* /usr/lib/x86_64-linux-gnu/libz3*\n"
        "rm -rf /usr/lib/postgresql/17/lib/llvmjit* /usr/lib/postgresql/17/lib/bitcode\n"
        "rm -rf /usr/share/i18n/locales\n"
        "rm -rf /etc/ssl/private/ssl-cert-snakeoil.key /etc/ssl/certs/ssl-cert-snakeoil.pem\n"
        "rm -rf /var/lib/postgresql/17\n"
        "install -d -o postgres -g postgres -m 700 /var/lib/postgresql/data\n"
        "install -d -o postgres -g postgres -m 3777 /var/run/postgresql\n"
        "install -d /docker-entrypoint-initdb.d\n"
        "conf=/usr/share/postgresql/17/postgresql.conf.sample\n"
        """sed -i "s/^#listen_addresses = .*/listen_addresses = '*'/" $conf\n"""
        "grep -q \"^listen_addresses = '\\*'\" $conf\n"
        + install_file("postgres-entrypoint.sh", "/usr/local/bin/docker-entrypoint.sh"),
        prepare="groupadd -r --gid 999 postgres\n"
        "useradd -r --uid 999 --gid postgres --home-dir /var/lib/postgresql"
        " --shell /bin/bash postgres\n"
        "mkdir -p /etc/postgresql-common\n"
        "echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf",
    ),
    (
        (
            "Env",
            [
                f"PATH={PATH}:/usr/lib/postgresql/17/bin",
                "LANG=C.UTF-8",
                "PG_MAJOR=17",
                "PGDATA=/var/lib/postgresql/data",
            ],
        ),
        ("Entrypoint", ["docker-entrypoint.sh"]),
        ("Cmd", ["postgres"]),
        ("StopSignal", "SIGINT"),
        ("ExposedPorts", {"5432/tcp": {}}),
        ("Volumes", {"/var/lib/postgresql/data": {}}),
    ),
)
IMAGES: tuple[Image, ...] = (
    Image("debian", "lab/debian:13", Recipe("debian", "trixie", ("ca-certificates",))),
    _PYTHON,
    _haproxy("haproxy", "lab/haproxy:3.0", "trixie"),
    _haproxy("haproxy-2.6", "lab/haproxy:2.6", "bookworm"),
    _POSTGRES,
    _tools("tools-base", "lab/tools-base:3", "trixie"),
    _tools("tools-base-2", "lab/tools-base:2", "bookworm"),
)


def registry_seed() -> Path:
    """Return a registry storage directory that holds the base images, built at first use."""
    text = FORMAT + repr([(image.reference, image.recipe.key, image.config) for image in IMAGES])
    seed = cache_root() / "seeds" / hashlib.sha256(text.encode()).hexdigest()[:12]
    if seed.exists():
        return seed
    with exclusive("seeds"):
        if not seed.exists():
            partial = seed.with_name(f".{seed.name}.partial")
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            _fill(partial)
            partial.rename(seed)
    return seed


def _fill(directory: Path) -> None:
    """Build what is missing and push every image into a registry over `directory`."""
    with ThreadPoolExecutor(max_workers=_PARALLEL_BUILDS) as pool:
        built = list(pool.map(_layers, IMAGES))
    with _private_registry(directory) as address:
        for image, layers in zip(IMAGES, built, strict=True):
            _push(image, layers, address)


def bring(image: Image, address: str) -> str:
    """Push an image that only some tests need into a running registry; its reference there."""
    _push(image, _layers(image), address)
    return f"{address}/{image.reference}"


def _push(image: Image, layers: list[Layer], address: str) -> None:
    repository, _, tag = image.reference.partition(":")
    push_image(Target(address, repository, tag), layers, image.config)


def _layers(image: Image) -> list[Layer]:
    """Return an image's layers: its suite's base, and what its recipe adds."""
    base = base_tree(image.recipe.suite)
    own = layer_tree(image.recipe)
    began = build_began(base)
    return [
        layer_of(base, key=base.name, built_since=began),
        layer_of(own, key=image.recipe.key, built_since=began),
    ]


@contextlib.contextmanager
def _private_registry(directory: Path) -> Iterator[str]:
    """Run a registry on loopback that ends with the block, or with this process."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    file = directory.with_name(f"{directory.name}.yml")
    file.write_text(configuration(directory, address))
    argv = ["setpriv", "--pdeathsig", "KILL", "--", str(toolbox() / "usr/bin/docker-registry")]
    with subprocess.Popen(
        [*argv, "serve", str(file)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            wait_until(
                lambda: registry_answers(address), what="an answer of a registry", timeout_s=20
            )
            yield address
        finally:
            process.kill()
    file.unlink()
