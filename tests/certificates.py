"""Certificates for tests: an authority, and what it vouches for, made with `openssl`."""

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Authority:
    """One that vouches; its files lie in `directory`."""

    directory: Path

    @classmethod
    def made(cls, directory: Path) -> "Authority":
        directory.mkdir(parents=True)
        _openssl(
            directory,
            *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-keyout", "ca-key.pem", "-out", "ca.pem", "-days", "2", "-subj", "/CN=authority"),
        )
        return cls(directory)

    def vouches(self, directory: Path, usage: str, name: str = "DNS:client") -> Path:
        """A directory as Docker lays it out: `ca.pem`, `cert.pem`, `key.pem`."""
        directory.mkdir(parents=True)
        _openssl(
            directory,
            *("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-keyout", "key.pem", "-out", "request.pem", "-subj", "/CN=test"),
        )
        extensions = directory / "extensions"
        extensions.write_text(f"extendedKeyUsage={usage}\nsubjectAltName={name}\n")
        _openssl(
            directory,
            *("x509", "-req", "-in", "request.pem", "-days", "2", "-CAcreateserial"),
            *("-CA", str(self.directory / "ca.pem"), "-CAkey", str(self.directory / "ca-key.pem")),
            *("-out", "cert.pem", "-extfile", str(extensions)),
        )
        (directory / "ca.pem").write_bytes((self.directory / "ca.pem").read_bytes())
        return directory


def _openssl(directory: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=directory, capture_output=True, check=True)
