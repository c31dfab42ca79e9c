"""The laboratory's SSH material: throw-away keys, known hosts and a configuration for clients."""

from lab.command import run
from lab.layout import LabLayout


def prepare_ssh(lab: LabLayout, numbers: range) -> None:
    """Make the client's and the hosts' keys where missing, and write the client's files."""
    lab.ssh_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    hosts = [lab.host(number) for number in numbers]
    for name in ("id_ed25519", *(f"{host.name}_host_key" for host in hosts)):
        key = lab.ssh_dir / name
        if not key.with_name(f"{name}.pub").exists():
            key.unlink(missing_ok=True)
            run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "uwlab", "-f", key])
    known, blocks = [], []
    for host in hosts:
        public = (lab.ssh_dir / f"{host.name}_host_key.pub").read_text().split()
        known.append(f"{host.address},{host.name} {public[0]} {public[1]}\n")
        blocks.append(f"Host {host.name}\n  HostName {host.address}\n  HostKeyAlias {host.name}\n")
    (lab.ssh_dir / "known_hosts").write_text("".join(known))
    pattern = lab.gateway.removesuffix("1") + "*"
    blocks.append(
        f"Host {pattern} h*\n"
        "  User root\n"
        f"  IdentityFile {lab.ssh_dir}/id_ed25519\n"
        "  IdentitiesOnly yes\n"
        f"  UserKnownHostsFile {lab.ssh_dir}/known_hosts\n"
        "  GlobalKnownHostsFile /dev/null\n"
        "  StrictHostKeyChecking yes\n"
    )
    (lab.ssh_dir / "config").write_text("\n".join(blocks))
