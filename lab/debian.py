"""Debian trees in the cache: bases from debootstrap, roots of hosts, differences for image layers.

A tree's directory name holds a hash of its recipe, so a changed recipe is built anew and a
finished tree is never touched again. Trees are built under a temporary name and renamed.
"""

import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lab.command import attempt, run
from lab.errors import LabError
from lab.layout import cache_root
from lab.lock import exclusive

_BUILD_TIMEOUT_S = 900.0
_MIRROR_HINT = "the laboratory needs a Debian package mirror; check that `apt-get update` works"

_SLIM = """\
cat > /etc/dpkg/dpkg.cfg.d/uwlab <<'END'
force-unsafe-io
path-exclude=/usr/share/doc/*
path-exclude=/usr/share/man/*
path-exclude=/usr/share/info/*
path-exclude=/usr/share/locale/*
path-exclude=/usr/share/lintian/*
END
cat > /etc/apt/apt.conf.d/uwlab <<'END'
APT::Install-Recommends "false";
APT::Keep-Downloaded-Packages "false";
Acquire::Languages "none";
Acquire::Retries "3";
END
printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
rm -rf /usr/share/doc/* /usr/share/man/* /usr/share/info/* /usr/share/locale/*
rm -rf /var/cache/apt/*.bin /var/log/*.log /var/log/apt
"""

_INSTALL = """\
{prepare}
apt-get -qq update
apt-get -qq -y install {packages}
{script}
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/apt/archives/*.deb
rm -rf /var/cache/ldconfig/aux-cache /var/cache/debconf/*-old /var/lib/dpkg/*-old
rm -rf /var/log/*.log /var/log/apt
"""

# Everything happens in a mount and PID namespace of its own, so that nothing of a build remains
# mounted or running, however it ends.
_ISOLATED = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--uts")
_CHROOT = """\
set -eu
mount --make-rprivate /
if [ -n "{lower}" ]; then
  mkdir -p {tree}/upper {tree}/work {tree}/root
  mount -t overlay overlay -o lowerdir={lower},upperdir={tree}/upper,workdir={tree}/work {tree}/root
  cd {tree}/root
else
  cd {tree}
fi
mount -t proc proc proc
mount --bind /etc/resolv.conf etc/resolv.conf
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 HOME=/root
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
chroot . /bin/sh -eu
"""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a tree is made of: a suite's base plus packages, with scripts run inside."""

    name: str
    suite: str
    packages: tuple[str, ...]
    script: str = ":"
    prepare: str = ":"

    @property
    def key(self) -> str:
        """Return the recipe's name and hash, the tree's directory name."""
        own = (self.name, self.suite, *self.packages, self.script, self.prepare)
        text = "\0".join((*own, _SLIM, _INSTALL))
        return f"{self.name}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"


def base_tree(suite: str) -> Path:
    """Return the bare tree of a Debian suite, made by debootstrap at first use."""
    digest = hashlib.sha256(_SLIM.encode()).hexdigest()[:10]
    tree = cache_root() / "bases" / f"{suite}-{digest}"

    def build(work: Path) -> None:
        _require_debootstrap()
        script = Path("/usr/share/debootstrap/scripts") / suite
        # debootstrap mounts /proc in its target: in a namespace of its own that ends with it.
        argv = [*_ISOLATED, "--mount-proc", "debootstrap", "--variant=minbase", suite, str(work)]
        run(argv if script.exists() else [*argv, "", "sid"], timeout_s=_BUILD_TIMEOUT_S)
        _inside(work, _SLIM)

    return _finished(tree, build)


def host_tree(recipe: Recipe) -> Path:
    """Return a complete root file system built from a recipe at first use."""

    def build(work: Path) -> None:
        work.rmdir()
        run(["cp", "-a", base_tree(recipe.suite), work])
        _inside(work, _install_script(recipe))

    return _finished(cache_root() / "roots" / recipe.key, build)


def layer_tree(recipe: Recipe) -> Path:
    """Return what a recipe adds to its suite's base: the upper directory of an overlay."""

    def build(work: Path) -> None:
        _inside(work, _install_script(recipe), lower=base_tree(recipe.suite))
        shutil.rmtree(work / "work")
        (work / "root").rmdir()

    return _finished(cache_root() / "layers" / recipe.key, build) / "upper"


def build_began(tree: Path) -> float:
    """Return when the build of a tree began, in seconds since the epoch."""
    return _stamp(tree).stat().st_mtime


def _stamp(tree: Path) -> Path:
    return tree.with_name(f".{tree.name}.began")


def _install_script(recipe: Recipe) -> str:
    return _INSTALL.format(
        packages=" ".join(recipe.packages), script=recipe.script, prepare=recipe.prepare
    )


def _finished(tree: Path, build: Callable[[Path], None]) -> Path:
    """Return the tree, building it under a lock when it is not there yet."""
    if tree.exists():
        return tree
    with exclusive(f"tree-{tree.name}"):
        if tree.exists():
            return tree
        work = tree.with_name(f".{tree.name}.partial")
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        _stamp(tree).touch()
        try:
            build(work)
        except LabError as error:
            raise LabError(f"building {tree.name}: {error}", _MIRROR_HINT) from error
        work.rename(tree)
    return tree


def _inside(tree: Path, script: str, *, lower: Path | None = None) -> None:
    """Run a shell script inside a tree, or inside an overlay of the tree over `lower`."""
    outer = _CHROOT.format(tree=tree, lower=lower or "")
    run([*_ISOLATED, "/bin/sh", "-c", outer], stdin=script, timeout_s=_BUILD_TIMEOUT_S)


def _require_debootstrap() -> None:
    """Install debootstrap where the machine lacks it (it starts no service)."""
    if shutil.which("debootstrap"):
        return
    if not shutil.which("apt-get"):
        raise LabError("debootstrap is missing", "install debootstrap, or use a Debian machine")
    os.environ.setdefault("DEBIAN_FRONTEND", "noninteractive")
    with exclusive("apt"):
        attempt(["apt-get", "-qq", "update"], timeout_s=_BUILD_TIMEOUT_S)
        wait = ["-o", "DPkg::Lock::Timeout=300"]
        install = ["apt-get", *wait, "-qq", "-y", "--no-install-recommends", "install"]
        run([*install, "debootstrap"], timeout_s=_BUILD_TIMEOUT_S)
