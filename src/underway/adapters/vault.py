"""`ports.Vault`: sensitive values in the anchor, one file per release, readable by root only.

Values travel by standard input and output alone, never in arguments, and stand in files of mode
0600 that are renamed into place whole.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Final

import msgspec

from underway.adapters.anchor import Anchor
from underway.adapters.decoding import decoded
from underway.errors import IntegrityError
from underway.model.names import AppName, HostName, ReleaseNumber, SensitiveName
from underway.model.sensitive import Sensitive, SensitiveValues
from underway.ports import CommandRunner
from underway.ports.output import ExecResult

_VERSION: Final = 1
_MISSING: Final = 66
_OTHER_KEY: Final = 76
_WRITE: Final = """
set -eu
umask 077
cd /vault
chmod 0700 .
mkdir -p releases
find . -name '.*.part' -mmin +60 -delete
IFS= read -r key
if [ -e key ] && [ "$(cat key)" != "$key" ]; then exit 76; fi
part=releases/.$1.$$.part
cat > "$part"
sync "$part"
if ! [ -e key ]; then
  printf '%s\\n' "$key" > ".key.$$.part"
  sync ".key.$$.part"
  mv -f ".key.$$.part" key
fi
mv -f "$part" "releases/$1.json"
sync releases .
"""
_READ: Final = 'cd /vault && { [ -e "$1" ] || exit 66; } && cat -- "$1"'
_LIST: Final = "cd /vault && { [ -d releases ] || exit 0; } && ls releases"


class _Values(msgspec.Struct, forbid_unknown_fields=True):
    version: int
    values: Mapping[str, str]


class AnchorVault:
    """Sensitive values of one app on one host."""

    def __init__(self, engine: CommandRunner, app: AppName) -> None:
        """The vault in the anchor of `app` on the host of `engine`."""
        self._anchor = Anchor(engine, app)

    @property
    def host(self) -> HostName:
        """The host."""
        return self._anchor.host

    def key(self) -> bytes | None:
        """The app's digest key; None where there is no anchor, or nothing was written yet."""
        text = self._read("key")
        if text is None:
            return None
        try:
            return base64.b64decode(text.strip(), validate=True)
        except binascii.Error as error:
            raise _altered(self.host, "the key") from error

    def releases(self) -> tuple[int, ...]:
        """The numbers of the releases whose values stand here."""
        result = self._checked("list the vault", self._anchor.ask(_LIST))
        names = result.stdout.decode().split() if result else []
        stems = [name.removesuffix(".json") for name in names if name.endswith(".json")]
        return tuple(sorted(int(stem) for stem in stems if stem.isdigit()))

    def read(self, release: ReleaseNumber) -> SensitiveValues | None:
        """A release's values; None where they are missing. IntegrityError if unreadable."""
        data = self._read(f"releases/{release:06}.json")
        if data is None:
            return None
        try:
            file = decoded(data, _Values)
            values = {
                SensitiveName(name): Sensitive(base64.b64decode(text, validate=True))
                for name, text in file.values.items()
            }
        except (msgspec.MsgspecError, UnicodeDecodeError, binascii.Error):
            # The library's own words could quote a value.
            raise _altered(self.host, f"the values of release {release}") from None
        if file.version != _VERSION:
            raise _altered(self.host, f"the format of release {release} ({file.version})")
        return values

    def write(self, release: ReleaseNumber, values: SensitiveValues, key: bytes) -> None:
        """Write a release's values and the digest key, whole or not at all.

        Raises IntegrityError `vault-key` where another key stands: its digests could not be
        compared any more.
        """
        encoded = {
            str(name): base64.b64encode(values[name].reveal()).decode() for name in sorted(values)
        }
        content = msgspec.json.encode(_Values(_VERSION, encoded))
        stdin = base64.b64encode(key) + b"\n" + content
        result = self._anchor.run(_WRITE, f"{release:06}", stdin=stdin)
        if result.exit_code == _OTHER_KEY:
            raise IntegrityError(
                "vault-key",
                f"{self.host}: the vault there has another key",
                cause="another first deploy of this app wrote it, or its records were not seen",
                hint="Run the command again: it takes the key that is there. If it comes back, the "
                "hosts belong to two fleets: `underway status` of each shows which; remove nothing "
                "before you know.",
            )
        self._checked("write the vault", result)

    def _read(self, path: str) -> bytes | None:
        result = self._anchor.ask(_READ, path)
        if result is None or result.exit_code == _MISSING:
            return None
        self._checked("read the vault", result)
        return result.stdout

    def _checked(self, what: str, result: ExecResult | None) -> ExecResult | None:
        if result is not None and result.exit_code != 0:
            raise self._anchor.failure(what, result)
        return result


def _altered(host: HostName, what: str) -> IntegrityError:
    return IntegrityError(
        "vault-altered",
        f"{host}: {what} in the vault cannot be read",
        hint="Deploy again with today's values; that writes the vault anew.",
    )
