"""Every error code with its exit code, meaning and remedy: the source of the error reference.

A test holds that each code raised anywhere in the package stands here, and the other way round.
Keep the entries sorted by code.
"""

from typing import NamedTuple


class CodeEntry(NamedTuple):
    """What the error reference says of one code."""

    exit_code: int
    meaning: str
    remedy: str


CODES: dict[str, CodeEntry] = {
    "address-taken": CodeEntry(
        10,
        "A container's pinned address is held by another container.",
        "Run the command again: it observes anew and plans another address.",
    ),
    "bug": CodeEntry(
        70,
        "Underway met a state it does not know.",
        "Report it with the output of the command; what serves is not touched.",
    ),
    "command-timeout": CodeEntry(
        10,
        "A command in a container did not end in time.",
        "Give it more time, or look in the container at what it waits for.",
    ),
    "container-missing": CodeEntry(
        10,
        "A container that a step names is not on the host.",
        "Run the command again: it observes anew.",
    ),
    "container-not-running": CodeEntry(
        10,
        "A container that must run has ended.",
        "Look at its last lines for why it ended.",
    ),
    "edge-answer-unreadable": CodeEntry(
        7,
        "The answer of an edge is cut off, so it is not believed.",
        "Run the command again; look at the logs of the container underway-edge.",
    ),
    "edge-busy": CodeEntry(
        5,
        "Another change of this edge holds its lock for too long.",
        "Run the command again in a moment.",
    ),
    "edge-change-incomplete": CodeEntry(
        7,
        "A change did not reach an edge whole; nothing was changed there.",
        "Run the command again.",
    ),
    "edge-change-refused": CodeEntry(
        10,
        "The running proxy refused one part of a change; its files hold all of it.",
        "Run the command again: it goes on where it stopped.",
    ),
    "edge-config-invalid": CodeEntry(
        3,
        "The proxy refuses the configuration; what served before serves on.",
        "Change what the message names under x-underway.proxy.",
    ),
    "edge-not-running": CodeEntry(
        10,
        "The proxy of an edge does not answer.",
        "Look at the logs of the container underway-edge.",
    ),
    "edge-reload-failed": CodeEntry(
        10,
        "The proxy checked a configuration but could not load it; the old one serves on.",
        "Look at the logs of the container underway-edge, then run the command again.",
    ),
    "edge-script-failed": CodeEntry(
        10,
        "A command inside the edge's container failed.",
        "Look at the logs of the container underway-edge; check its tools image.",
    ),
    "edge-value-invalid": CodeEntry(
        3,
        "A host name, path or address cannot stand in the proxy's configuration.",
        "Change it under x-underway.proxy of the service.",
    ),
    "engine-denied": CodeEntry(
        6,
        "The user on a host may not use its Docker engine.",
        "Add the user to the docker group on the host, then log in anew.",
    ),
    "engine-missing": CodeEntry(
        6,
        "There is no Docker engine at the socket the file names.",
        "Start the engine, or name another host under x-underway.hosts.",
    ),
    "engine-refused": CodeEntry(
        10,
        "An engine answered a request with an error that Underway knows no better name for.",
        "Read the engine's own words in the message, and its log on the host.",
    ),
    "engine-version": CodeEntry(
        6,
        "A host's engine is older than Underway can work with.",
        "Upgrade the engine to 20.10 or newer.",
    ),
    "event-unreadable": CodeEntry(
        7,
        "A line of a recorded run is not an event that this version of Underway knows.",
        "Read it with the version of Underway that wrote it, or a newer one.",
    ),
    "host-taken": CodeEntry(
        4,
        "Another app on this edge has the host name already.",
        "Take another host name, or remove it from the other app first.",
    ),
    "host-unreachable": CodeEntry(
        6,
        "A host's engine does not answer.",
        "Check that the host is up and its Docker engine runs, then run the command again.",
    ),
    "host-url-invalid": CodeEntry(
        3,
        "A host's URL cannot be understood.",
        "Write ssh://user@host, unix:///path/docker.sock or the name of a Docker context.",
    ),
    "host-url-unsupported": CodeEntry(
        3,
        "A host's URL is of a kind that Underway does not speak yet.",
        "Reach the host by ssh://user@host.",
    ),
    "image-missing": CodeEntry(
        10,
        "An image is neither on the host nor in the registry.",
        "Build and push the image, or check its name.",
    ),
    "ledger-busy": CodeEntry(
        4,
        "Others write an app's ledger at the same time.",
        "Find out who else works on this app, then run again.",
    ),
    "lock-lost": CodeEntry(
        5,
        "The lock of this app could not be confirmed in time; nothing more is changed.",
        "Run the command again: it takes the lock anew and goes on from what stands.",
    ),
    "locked": CodeEntry(
        5,
        "Somebody else works on this app now.",
        "Wait until it ends, or end it where it runs: the lock frees itself within seconds.",
    ),
    "name-taken": CodeEntry(
        10,
        "A container's name is held by a container that is not this replica.",
        "Rename or remove that container, or give the app another name.",
    ),
    "newer-run": CodeEntry(
        4,
        "A newer run changed this edge after this one began.",
        "Look with `underway status` at what it did, then plan again.",
    ),
    "no-space": CodeEntry(
        10,
        "A host's disk is full.",
        "Free space on the host that the message names (docker system df shows what takes it), "
        "and run again.",
    ),
    "not-confirmed": CodeEntry(
        4,
        "A command that takes something away asked, and nobody said yes.",
        "Answer on the terminal, or give --yes.",
    ),
    "port-taken": CodeEntry(
        10,
        "A port that a container publishes is held by something else on the host.",
        "Stop what listens there, or let Underway choose another port.",
    ),
    "program-missing": CodeEntry(
        6,
        "A program that Underway runs on this machine is not installed.",
        "Install the program that the message names, or put it on PATH.",
    ),
    "program-timeout": CodeEntry(
        6,
        "A program that Underway ran on this machine did not finish in time.",
        "Look at its last lines, mend what it waits for, and run the command again.",
    ),
    "record-altered": CodeEntry(
        7,
        "A record of a host's ledger was altered, lost or put in by somebody else.",
        "Find out who changed the ledger's volume; another host's ledger or the running "
        "containers' labels can rebuild it.",
    ),
    "record-conflict": CodeEntry(
        7,
        "A release or run is recorded already with another content.",
        "Run the command again: it takes the next number.",
    ),
    "record-version": CodeEntry(
        7,
        "A record was written by another version of Underway.",
        "Upgrade Underway on this machine.",
    ),
    "registry-credentials": CodeEntry(
        6,
        "The credentials for a registry could not be read.",
        "Run docker login again, or mend the Docker configuration file and its credential helper.",
    ),
    "registry-denied": CodeEntry(
        10,
        "A registry refused the engine's request for want of credentials or rights.",
        "Run docker login for this registry on the machine that runs Underway.",
    ),
    "registry-unreachable": CodeEntry(
        6,
        "A registry does not answer a host's engine.",
        "Check from the host that the registry's name and port can be reached.",
    ),
    "release-unknown": CodeEntry(
        4,
        "No host that answers has a record of this release.",
        "List the releases with `underway history --releases`.",
    ),
    "ssh-denied": CodeEntry(
        6,
        "A host refused the SSH login.",
        "Check that ssh to the host works without a password: key in the agent, user's name.",
    ),
    "ssh-failed": CodeEntry(
        6,
        "The SSH program ended without a connection.",
        "Run ssh -v to the host and mend what it says.",
    ),
    "ssh-forwarding": CodeEntry(
        6,
        "A host's SSH server forbids forwarding, and the host has no docker command to go "
        "around it.",
        "Set AllowStreamLocalForwarding in sshd_config, or install the Docker CLI on the host.",
    ),
    "ssh-host-key": CodeEntry(
        6,
        "A host's SSH key is unknown, or is not the one known.",
        "Run ssh to the host once, compare the fingerprint and accept it; a changed key needs a "
        "reason first.",
    ),
    "ssh-name-unknown": CodeEntry(
        6,
        "A host's name cannot be resolved.",
        "Check the spelling under x-underway.hosts, and this machine's DNS or SSH configuration.",
    ),
    "ssh-refused": CodeEntry(
        6,
        "No SSH server can be reached at a host's address.",
        "Check the address and port, and that the host's SSH server runs.",
    ),
    "ssh-timeout": CodeEntry(
        6,
        "A host did not answer SSH in time.",
        "Check that the host is up, and that a firewall lets this machine reach its SSH port.",
    ),
    "still-in-use": CodeEntry(
        10,
        "A volume, network or image cannot be removed: something uses it.",
        "Stop what uses it first, then run the command again.",
    ),
    "subnet-taken": CodeEntry(
        10,
        "A network's subnet overlaps with one that the host has already.",
        "Give the network another subnet, or remove the network that holds this one.",
    ),
    "unknown-code": CodeEntry(
        2,
        "There is no error code of this name.",
        "List all codes with `underway errors`.",
    ),
    "usage": CodeEntry(
        2,
        "The command line is wrong: an unknown command, option or value.",
        "Ask the command with --help what can be given.",
    ),
    "value-missing": CodeEntry(
        7,
        "A sensitive value that a release needs is not at hand.",
        "Deploy with today's values, or restore the vault of this release.",
    ),
    "value-not-text": CodeEntry(
        3,
        "A sensitive value holds bytes that an environment variable cannot carry.",
        "Make it a file: list it under secrets.",
    ),
    "vault-altered": CodeEntry(
        7,
        "The sensitive values on a host cannot be read.",
        "Deploy again with today's values; that writes the vault anew.",
    ),
    "vault-key": CodeEntry(
        7,
        "A host's vault has another key than the rest of the fleet.",
        "The host belonged to another fleet of this app: remove the app there first.",
    ),
}
