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
    "address-invalid": CodeEntry(
        3,
        "An address in the file is not an IP address.",
        "Write an IPv4 or IPv6 address.",
    ),
    "address-missing": CodeEntry(
        3,
        "A fleet's host has no private address.",
        "Add `address:` with the host's address in the private network.",
    ),
    "address-public": CodeEntry(
        3,
        "A host's private address is publicly routable: replicas would be open to everybody.",
        "Use an address in a private network (a VPC, WireGuard, Tailscale).",
    ),
    "address-taken": CodeEntry(
        10,
        "A container's pinned address is held by another container.",
        "Run the command again: it observes anew and plans another address.",
    ),
    "address-twice": CodeEntry(
        3,
        "Two hosts share one private address.",
        "Give each host its own address.",
    ),
    "adopt-data-left": CodeEntry(
        4,
        "A container of Compose keeps data in a volume that the file does not give its service.",
        "Name that volume in the file (`external: true`), or say --leave-data SERVICE.",
    ),
    "adopt-no-way-back": CodeEntry(
        4,
        "No container of the Compose project is left that could come back.",
        "`underway remove` takes the app off its hosts, and leaves its volumes.",
    ),
    "adopt-nothing": CodeEntry(
        4,
        "No Compose project of the app's name runs on its hosts.",
        "Give the file the name of the project that runs (`docker compose ls` there shows it).",
    ),
    "alias-invalid": CodeEntry(
        3,
        "An alias of `x-underway.aliases` stands for no command, or its name cannot be typed.",
        "Name it in lower-case letters, digits and dashes, and write a command with its arguments.",
    ),
    "alias-taken": CodeEntry(
        3,
        "An alias of `x-underway.aliases` has the name of a command.",
        "Give the alias another name.",
    ),
    "backup-damaged": CodeEntry(
        7,
        "Data in the repository is not what was written there.",
        "What is not damaged restores still. Look at the disk, and back up elsewhere.",
    ),
    "backup-dump-failed": CodeEntry(
        10,
        "A database's dump ended with an error, or printed nothing.",
        "Run the command in the container yourself; what was kept of it is not listed.",
    ),
    "backup-floor": CodeEntry(
        4,
        "Forgetting this point would leave fewer than the floor.",
        "Make newer ones first, or lower `keep: {floor: ...}`.",
    ),
    "backup-freeze-failed": CodeEntry(
        10,
        "Containers could not be frozen for the last pass.",
        "Nothing stayed frozen. The host's engine log tells more; run it again.",
    ),
    "backup-freeze-too-long": CodeEntry(
        10,
        "The last pass took longer than `freeze` allows.",
        "Raise `freeze`, or choose another consistency. Nothing stayed frozen.",
    ),
    "backup-hosts-apart": CodeEntry(
        4,
        "The data is on several hosts, and the repository is a directory of one.",
        "Name a repository that every host reaches: S3, SFTP or REST.",
    ),
    "backup-manifest": CodeEntry(
        7,
        "A restore point's manifest cannot be read.",
        "Take another point (`underway backup list`).",
    ),
    "backup-mismatch": CodeEntry(
        7,
        "What was restored is not what the manifest says.",
        "The data that serves was not touched. Take another point.",
    ),
    "backup-no-preset": CodeEntry(
        4,
        "No way is known to dump this image's data.",
        "Give the volume `dump` and `restore` commands, or another consistency.",
    ),
    "backup-no-watchdog": CodeEntry(
        10,
        "The watchdog that would end a freeze cannot reach its engine.",
        "Let the engine listen on /var/run/docker.sock, or choose `dump` or `files`.",
    ),
    "backup-not-adopted": CodeEntry(
        4,
        "The repository holds points of the app that these hosts know nothing of.",
        "`underway backup restore` brings the data here; `backup create --adopt` goes on with the "
        "history although this data is other.",
    ),
    "backup-nothing": CodeEntry(
        4,
        "There is no volume to back up.",
        "`x-underway.backup` of each volume tells why it is left out.",
    ),
    "backup-nothing-to-undo": CodeEntry(
        4,
        "No volume that serves was restored, or those before them are gone.",
        "`underway backup restore` brings a restore point back.",
    ),
    "backup-password": CodeEntry(
        4,
        "The repository does not open with this password.",
        "Give the password that it was made with: nothing else opens it.",
    ),
    "backup-point-unknown": CodeEntry(
        4,
        "No complete restore point has this id, or several begin so.",
        "`underway backup list` shows them.",
    ),
    "backup-quiesce-failed": CodeEntry(
        10,
        "A command that makes a volume still failed, or the one that ends that.",
        "Run it in the container yourself. `after` ran in any case.",
    ),
    "backup-repository-invalid": CodeEntry(
        3,
        "The repository is no place that restic knows.",
        "Give an absolute directory of the host, or `s3:`, `rest:`.",
    ),
    "backup-repository-locked": CodeEntry(
        5,
        "Another run works on the repository.",
        "Wait until it ends; a dead run's lock is removed by `underway backup prune`.",
    ),
    "backup-repository-missing": CodeEntry(
        4,
        "There is no repository at the place that the file names.",
        "Check the place (a disk that is not mounted?), or make it: `underway backup init`.",
    ),
    "backup-restore-failed": CodeEntry(
        10,
        "Restored data was not accepted by its service.",
        "The data that serves was not touched. Take another point.",
    ),
    "backup-service": CodeEntry(
        4,
        "It is not clear which service's commands a volume's backup needs.",
        "Name it: `backup: {service: ...}`.",
    ),
    "backup-service-down": CodeEntry(
        4,
        "The service that makes a volume's copy sound does not run.",
        "Bring it up with `underway repair`, then back up.",
    ),
    "backup-sidecar": CodeEntry(
        10,
        "The container that works on the data answered with an error.",
        "Run it again; the host's engine log tells more.",
    ),
    "backup-sidecar-gone": CodeEntry(
        10,
        "The container that worked on the data is gone.",
        "Somebody removed it, or its engine was restarted: run the command again.",
    ),
    "backup-sqlite-failed": CodeEntry(
        10,
        "A SQLite database among plain files cannot be copied, or is damaged.",
        "Mend it (`sqlite3 FILE .recover`), or declare `consistency: pause` for its volume.",
    ),
    "backup-store-failed": CodeEntry(
        10,
        "The store's program ended with an error.",
        "Nothing false is listed. Run it again when the cause is gone.",
    ),
    "backup-store-unreachable": CodeEntry(
        6,
        "The repository cannot be reached from the host.",
        "Check its address and credentials from that host.",
    ),
    "backup-unconfigured": CodeEntry(
        4,
        "The file names no repository for backups.",
        "Add `x-underway: {backup: {repository: ..., password: ...}}`.",
    ),
    "backup-undeclared": CodeEntry(
        4,
        "A volume belongs to a database, and the file does not say how to copy it.",
        "Declare its consistency (`dump` for known databases), or `backup: false`.",
    ),
    "backup-unscheduled": CodeEntry(
        4,
        "The file does not say when backups are made.",
        'Add `every: "03:00"` to `backup` in x-underway, or to a volume.',
    ),
    "backup-value-missing": CodeEntry(
        3,
        "A password or credential of the backup has no value.",
        "Set it where the command runs; without it the repository does not open.",
    ),
    "backup-volume-fixed": CodeEntry(
        4,
        "A volume has a place of its own: no new one can stand beside it.",
        "Restore the other volumes; bring this one back by hand.",
    ),
    "backup-volume-missing": CodeEntry(
        4,
        "A volume is on no host that answers.",
        "`underway status` tells which host is missing.",
    ),
    "backup-volume-there": CodeEntry(
        4,
        "A volume with the name of a restored one is there already.",
        "Choose another name for --as, or remove that volume.",
    ),
    "backup-volume-unknown": CodeEntry(
        4,
        "The release or the restore point has no such volume.",
        "`underway backup show` tells what a point holds.",
    ),
    "backup-writer-came": CodeEntry(
        10,
        "A container began to write while all others were frozen.",
        "A deploy may have started it: back up again when it is over.",
    ),
    "bind-of-this-machine": CodeEntry(
        3,
        "A service mounts files of this machine that remote hosts do not have.",
        "Mount them read-only and small, put them into the image, or use a volume.",
    ),
    "bug": CodeEntry(
        70,
        "Underway met a state it does not know.",
        "Report it with the output of the command; what serves is not touched.",
    ),
    "build-context": CodeEntry(
        3,
        "A build's context is no directory of this machine.",
        "Correct `build.context`, or check the source out.",
    ),
    "build-failed": CodeEntry(
        4,
        "An image could not be built; nothing changed on any host.",
        "Mend what the last lines show, and deploy again.",
    ),
    "build-key": CodeEntry(
        3,
        "A key of a `build` section cannot be honoured.",
        "Take the key out, or follow the message's remedy.",
    ),
    "build-needs-buildx": CodeEntry(
        4,
        "The build needs buildx, and this machine has none.",
        "Install the docker-buildx plugin.",
    ),
    "build-untold": CodeEntry(
        6,
        "buildx built an image and did not tell which.",
        "Update buildx to 0.10 or newer.",
    ),
    "build-value": CodeEntry(
        3,
        "A sensitive value that a build needs is not at hand.",
        "Give it in the environment or the secret's file, and run again.",
    ),
    "command-failed": CodeEntry(
        10,
        "A command that must succeed before a release (`before`, or a service that "
        "others wait for) exited with another status than 0.",
        "Read its last lines below the error, mend it, deploy again.",
    ),
    "command-timeout": CodeEntry(
        10,
        "A command in a container did not end in time.",
        "Give it more time, or look in the container at what it waits for.",
    ),
    "compose-invalid": CodeEntry(
        3,
        "Docker Compose refuses the file.",
        "Correct what it names; `docker compose config` shows the same.",
    ),
    "compose-missing": CodeEntry(
        6,
        "Docker Compose 2.24 or newer is not on this machine.",
        "Install Docker's Compose plugin, or `pip install 'underway[compose]'`.",
    ),
    "compose-project-runs": CodeEntry(
        4,
        "The app runs as a Compose project on its hosts: both would write to the same volumes.",
        "`underway adopt` takes over from it; `docker compose down` ends it.",
    ),
    "compose-too-large": CodeEntry(
        3,
        "The file cannot be loaded within the time and memory it is given.",
        "Look for aliases that repeat one another, and for huge includes.",
    ),
    "container-gone": CodeEntry(
        10,
        "A container disappeared while the run waited for it.",
        "Find out who removed it, then deploy again.",
    ),
    "container-missing": CodeEntry(
        10,
        "A container that a step names is not on the host.",
        "Run the command again: it observes anew.",
    ),
    "container-name-replicas": CodeEntry(
        3,
        "A service with a `container_name` has several replicas.",
        "Remove `container_name`.",
    ),
    "container-not-running": CodeEntry(
        10,
        "A container that must run has ended.",
        "Look at its last lines for why it ended.",
    ),
    "dependency-cycle": CodeEntry(
        3,
        "Services depend on one another in a circle.",
        "Take one `depends_on` away.",
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
    "edge-differs": CodeEntry(
        10,
        "The running proxy does not serve what it was told.",
        "Look at `docker logs underway-edge` on that host, then deploy again.",
    ),
    "edge-missing": CodeEntry(
        3,
        "A service needs the edge: a proxy, or replicas that other hosts use; none is named.",
        "Add `edge: HOST_OR_GROUP` to x-underway.",
    ),
    "edge-not-running": CodeEntry(
        10,
        "The proxy of an edge does not answer.",
        "Look at the logs of the container underway-edge.",
    ),
    "edge-port": CodeEntry(
        4,
        "The edge's proxy is shared with another app and listens on another port.",
        "Name the port it listens on under `x-underway: {edge: {http_port: ...}}`.",
    ),
    "edge-port-taken": CodeEntry(
        4,
        "The port where the proxy shall listen is held by a container.",
        "Stop that container, or give the edge another port (`x-underway.edge.http_port`).",
    ),
    "edge-reload-failed": CodeEntry(
        10,
        "The proxy checked a configuration but could not load it; the old one serves on.",
        "Look at the logs of the container underway-edge, then run the command again.",
    ),
    "edge-renewal-failed": CodeEntry(
        10,
        "A proxy's successor could not take over; the proxy before serves on as it did.",
        "Look at the logs of the container underway-edge-next; `--keep-proxy` deploys without it.",
    ),
    "edge-script-failed": CodeEntry(
        10,
        "A command inside the edge's container failed.",
        "Look at the logs of the container underway-edge; check its tools image.",
    ),
    "edge-unsupported": CodeEntry(
        4,
        "A host whose engine is rootless or remaps users cannot run the proxy.",
        "Let another host be the edge; replicas may stay there.",
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
    "engine-lacks": CodeEntry(
        10,
        "The host's engine has no such driver, runtime or device.",
        "Install it on the host, or change the key in the file.",
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
    "engine-takes-not": CodeEntry(
        10,
        "The engine takes no such value for a container.",
        "Give the key in the file a value that the engine takes.",
    ),
    "engine-version": CodeEntry(
        6,
        "A host's engine is older, or newer, than Underway can work with.",
        "Upgrade the engine to 20.10 or newer, or Underway where the engine is the newer one.",
    ),
    "environment-missing": CodeEntry(
        3,
        "The environment's Compose file does not exist.",
        "Name an environment that exists, or create its file.",
    ),
    "environment-taken": CodeEntry(
        4,
        "The app of this name runs as another environment on these hosts.",
        "Choose it with -E, or give each its own `name:`; where it was renamed, say `--yes`.",
    ),
    "event-unreadable": CodeEntry(
        7,
        "A line of a recorded run is not an event that this version of Underway knows.",
        "Read it with the version of Underway that wrote it, or a newer one.",
    ),
    "external-missing": CodeEntry(
        4,
        "A network or volume that the file calls external does not exist on a host.",
        "Create it there, or take `external` away.",
    ),
    "file-missing": CodeEntry(
        3,
        "A Compose file does not exist.",
        "Create compose.yaml, or name the file with --file.",
    ),
    "file-on-read-only": CodeEntry(
        3,
        "A file shall be written into a service that is `read_only`.",
        "Use a secret below /run/secrets, the image, or a volume.",
    ),
    "file-too-large": CodeEntry(
        10,
        "What shall be read from a container is too large.",
        "Name the file itself, not a directory with more in it.",
    ),
    "file-twice": CodeEntry(
        3,
        "Two files of a service have the same place.",
        "Give one of them another `target`.",
    ),
    "file-unreadable": CodeEntry(
        3,
        "A file that the project names cannot be read or used.",
        "Create it, correct its path, or look at its mode and encoding.",
    ),
    "file-unwritable": CodeEntry(
        3,
        "A file cannot be written.",
        "Look at the owner and the mode of its directory, or use --print.",
    ),
    "history-unknown": CodeEntry(
        7,
        "The records on a host do not continue those that this machine knows.",
        "Ask who removed the app; if that was right, run it again with `--accept-history`.",
    ),
    "hook-repository": CodeEntry(
        2,
        "The directory given with `init --hook` is no bare git repository.",
        "Make one with `git init --bare DIRECTORY`.",
    ),
    "host-name-invalid": CodeEntry(
        3,
        "A host's name has letters that names do not have.",
        "Use letters, digits, `.`, `_` and `-`.",
    ),
    "host-not-placed": CodeEntry(
        2,
        "A service does not stand on the host that was named.",
        "Choose one of its hosts: `underway config` tells them.",
    ),
    "host-taken": CodeEntry(
        4,
        "Another app on this edge has the host name already.",
        "Take another host name, or remove it from the other app first.",
    ),
    "host-twice": CodeEntry(
        3,
        "Two hosts, or a host and a group, have one name, or a host has two addresses.",
        "Give each a `name:` of its own.",
    ),
    "host-unknown": CodeEntry(
        3,
        "A place or edge names a host or group that does not exist.",
        "Name one of those under `hosts`.",
    ),
    "host-unreachable": CodeEntry(
        6,
        "A host's engine does not answer.",
        "Check that the host is up and its Docker engine runs, then run the command again.",
    ),
    "host-url-invalid": CodeEntry(
        3,
        "A host's URL cannot be understood.",
        "Write ssh://user@host, tcp://host:2376, unix:///path/docker.sock or a context's name.",
    ),
    "host-url-unsupported": CodeEntry(
        3,
        "A host's URL leads to its engine without TLS, or without verifying it.",
        "Reach the host by ssh://user@host, or by tcp:// with certificates of both sides.",
    ),
    "hosts-unreachable": CodeEntry(
        6,
        "A host of the app did not answer, so nothing was changed.",
        "Bring the host back, or leave it out with `--skip-host`.",
    ),
    "image-gone": CodeEntry(
        4,
        "An image that a host needs is neither in a registry nor on an engine.",
        "Deploy the commit again; name a registry in `image:` to keep older releases.",
    ),
    "image-lacks-program": CodeEntry(
        10,
        "The image has no program of the name that shall run.",
        "Correct `command` or `entrypoint`, or put the program into the image.",
    ),
    "image-lacks-user": CodeEntry(
        10,
        "The image has no user of the name that shall run it.",
        "Correct `user`, or make the user in the Dockerfile.",
    ),
    "image-mismatch": CodeEntry(
        7,
        "What a host got is not the image that was shipped.",
        "Check who writes to the registry, and the platforms of the hosts; then deploy again.",
    ),
    "image-missing": CodeEntry(
        10,
        "An image is neither on the host nor in the registry.",
        "Build and push the image, or check its name.",
    ),
    "image-reference": CodeEntry(
        3,
        "Something is not an image reference.",
        "Write `[registry/]name[:tag]`, the name in lower case.",
    ),
    "image-unknown": CodeEntry(
        4,
        "No registry and no engine has the image that a service names.",
        "Build and push it, or correct `image:`.",
    ),
    "init-cannot-write": CodeEntry(
        3,
        "`init` found no place in the file for what it adds.",
        "`underway init --print` shows what belongs there: write it by hand.",
    ),
    "init-done": CodeEntry(
        4,
        "The file has `x-underway` already.",
        "Edit it: `underway config` shows how it is understood.",
    ),
    "init-file-there": CodeEntry(
        4,
        "The file that `init` would write is there already.",
        "`--print` shows what would be written: put it in by hand.",
    ),
    "init-service-unclear": CodeEntry(
        2,
        "Several services publish ports, and nobody said which of them users reach.",
        "Name it with `underway init --service NAME`.",
    ),
    "interrupted": CodeEntry(
        10,
        "The run was asked to stop, and what it had begun was taken back.",
        "Run the command again when you are ready.",
    ),
    "interruption": CodeEntry(
        4,
        "A service would not serve for a moment, and nobody allowed it.",
        "Look at `underway plan`, then use `--allow-interruption`.",
    ),
    "key-invalid": CodeEntry(
        3,
        "A Compose key has a value that cannot be understood.",
        "Write it as Compose's reference shows it.",
    ),
    "key-refused": CodeEntry(
        3,
        "A Compose key cannot be honoured in production by Underway.",
        "Follow the remedy in the table of Compose keys.",
    ),
    "key-unknown": CodeEntry(
        3,
        "A Compose key is not one that Underway knows.",
        "Remove it, or move it to a file that only the laptop reads.",
    ),
    "label-reserved": CodeEntry(
        3,
        "A label begins with `underway.`, which is Underway's own.",
        "Choose another name.",
    ),
    "ledger-busy": CodeEntry(
        4,
        "Others write an app's ledger at the same time.",
        "Find out who else works on this app, then run again.",
    ),
    "left-out-edge-serves": CodeEntry(
        4,
        "A host is left out whose proxy answers and sends users to replicas that would stop.",
        "Leave the host in: `--skip-host` is for one that is down.",
    ),
    "limit-unfit": CodeEntry(
        4,
        "What --limit asks for cannot serve beside what other hosts keep: more than the replicas "
        "differs, a third release would run, or a `before` would have nowhere to run.",
        "Leave --limit out, or name the hosts that the message tells.",
    ),
    "listener-clash": CodeEntry(
        3,
        "An edge cannot listen for a service with several replicas: its port is in use there.",
        "Let the service use another port, or run one replica of it.",
    ),
    "listener-port-ambiguous": CodeEntry(
        3,
        "A service with several replicas that other hosts use names several ports.",
        "Leave one port in `expose` and `ports`, or run one replica.",
    ),
    "listener-taken": CodeEntry(
        4,
        "Another app or container holds the port at which an edge shall listen for a service.",
        "Free the port on that host, or let the service use another one.",
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
    "look-host-unknown": CodeEntry(
        2,
        "A command that looks at hosts was given one that the app does not have.",
        "Name one that `underway status` lists.",
    ),
    "mount-type": CodeEntry(
        3,
        "A service has a mount of a kind that Underway does not carry.",
        "Use a volume, a bind or tmpfs.",
    ),
    "name-taken": CodeEntry(
        10,
        "A container's name is held by a container that is not this replica.",
        "Rename or remove that container, or give the app another name.",
    ),
    "named-host-unknown": CodeEntry(
        2,
        "A host named on the command line is not one of the app's.",
        "Correct its name: `underway status` lists the hosts.",
    ),
    "network-driver": CodeEntry(
        3,
        "A network has a driver other than `bridge`.",
        "Use `bridge`, or an `external` network.",
    ),
    "network-unknown": CodeEntry(
        3,
        "A service is in a network that does not exist.",
        "Define it under `networks`.",
    ),
    "newer-run": CodeEntry(
        4,
        "A newer run changed this edge after this one began.",
        "Look with `underway status` at what it did, then plan again.",
    ),
    "no-engine": CodeEntry(
        6,
        "No engine answers, neither on this machine nor on a host of the app.",
        "Start Docker here, or bring a host back.",
    ),
    "no-free-address": CodeEntry(
        4,
        "A network has no address left that could be pinned.",
        "Run fewer replicas on that host, or give the network a larger subnet.",
    ),
    "no-free-port": CodeEntry(
        4,
        "A host has no free port between 20000 and 29999.",
        "Free some ports on that host, or move replicas to another one.",
    ),
    "no-free-subnet": CodeEntry(
        4,
        "No subnet of the range is free on a host.",
        "Name another range with `x-underway: {subnet: ...}`.",
    ),
    "no-older-release": CodeEntry(
        4,
        "No release ran before the current one.",
        "Name the release: `underway rollback RELEASE`.",
    ),
    "no-services": CodeEntry(
        3,
        "The file has no service to run.",
        "Add one, or choose its profile with --profile.",
    ),
    "no-space": CodeEntry(
        10,
        "A host's disk is full.",
        "Free space on the host that the message names (docker system df shows what "
        "takes it), and run again.",
    ),
    "not-confirmed": CodeEntry(
        4,
        "A command that takes something away asked, and nobody said yes.",
        "Answer on the terminal, or give --yes.",
    ),
    "not-finished": CodeEntry(
        11,
        "The release serves, but something of the run could not be ended.",
        "Bring the named host back, then `underway deploy` or `underway repair`.",
    ),
    "not-healthy": CodeEntry(
        10,
        "A replica did not get healthy in time.",
        "Look at its health check and its last lines, then deploy again.",
    ),
    "not-removed": CodeEntry(
        11,
        "Something of the app could not be removed.",
        "Bring the named host back, then run `underway remove` again.",
    ),
    "not-undone": CodeEntry(
        11,
        "A failed run could not be taken back whole; what is left is listed.",
        "Bring the named host back, then `underway rollback`, `deploy` or `repair`.",
    ),
    "nothing-deployed": CodeEntry(
        4,
        "Nothing was deployed yet.",
        "Run `underway deploy` first.",
    ),
    "notify-failed": CodeEntry(
        6,
        "Somebody was to be told of a backup, and a webhook, mail or command did not work.",
        "Look at `notify` in the file, and at what it names; the backup itself is not concerned.",
    ),
    "one-letter-volume": CodeEntry(
        3,
        "Compose reads a volume with a one-letter name as an anonymous volume.",
        "Give it a longer name, or use the long form.",
    ),
    "only-entangled": CodeEntry(
        4,
        "A service that --only names cannot be brought without others: it depends on one that "
        "does not run yet, shares what changes with one that stays, or changes how one is reached.",
        "Name the services that the message tells with --only too, or leave --only out.",
    ),
    "past-migrations": CodeEntry(
        4,
        "The rollback would leave what a later `before` did to the data.",
        "Use `--past-migrations` if the older release can live with it, or give `before` "
        "an `undo`.",
    ),
    "paused": CodeEntry(
        11,
        "The rollout stopped where it failed, as `failure_action: pause` asks.",
        "`underway deploy` goes on, `underway rollback` goes back.",
    ),
    "place-missing": CodeEntry(
        3,
        "A service is placed on no host.",
        "Add it to `place` in x-underway.",
    ),
    "place-unknown": CodeEntry(
        3,
        "`place` names a service that does not exist.",
        "Correct the name, or remove the line.",
    ),
    "plan-stale": CodeEntry(
        4,
        "Another run changed what serves since this one was planned.",
        "Look at `underway history`, and run the command again.",
    ),
    "platforms-mixed": CodeEntry(
        4,
        "The hosts of one service have different processors.",
        "Place each service on hosts of one kind.",
    ),
    "port-clash": CodeEntry(
        3,
        "Two replicas or services would publish one port of a host.",
        "Give it a `proxy`, another port, or no host port.",
    ),
    "port-public": CodeEntry(
        3,
        "A port would be published to everybody, past the host's firewall.",
        "Use a `proxy`, or `x-underway: {public: true}` at the port.",
    ),
    "port-range": CodeEntry(
        3,
        "A service publishes a range of host ports.",
        "Name one port, or give the service a `proxy`.",
    ),
    "port-taken": CodeEntry(
        10,
        "A port that a container publishes is held by something else on the host.",
        "Stop what listens there, or publish another port.",
    ),
    "port-unknown": CodeEntry(
        3,
        "A service is used from another host, and no port of it is known.",
        "Add `expose: [PORT]` to it.",
    ),
    "probe-failed": CodeEntry(
        10,
        "A replica did not pass an edge's own check in time.",
        "Look at `proxy: {health: ...}` and the replica's last lines, then deploy again.",
    ),
    "profile-unknown": CodeEntry(
        2,
        "No service of the file has a profile that was asked for.",
        "Correct the name after --profile: Compose would leave its services out without a word.",
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
    "promote-image-missing": CodeEntry(
        4,
        "The release has no image of a service that the environment builds.",
        "Ship a release that has the service, and promote that one.",
    ),
    "proxy-host-invalid": CodeEntry(
        3,
        "A proxy's host is not a host name.",
        "Write it in lower case, without scheme and port.",
    ),
    "proxy-host-network": CodeEntry(
        3,
        "A service has a proxy and the host's network.",
        "Remove `network_mode: host`.",
    ),
    "proxy-host-twice": CodeEntry(
        3,
        "Two services take the same host and path.",
        "Give one of them another host or `path`.",
    ),
    "proxy-invalid": CodeEntry(
        3,
        "A proxy lacks a host, or a path does not begin with `/`.",
        "Write {host: libra.example.com, path: /}.",
    ),
    "proxy-port-ambiguous": CodeEntry(
        3,
        "A proxied service has several ports.",
        "Add `port:` to its `proxy`.",
    ),
    "proxy-port-unknown": CodeEntry(
        3,
        "A proxied service names no port, and its image does not expose exactly one.",
        "Add `port:` to its `proxy`.",
    ),
    "public-and-sensitive": CodeEntry(
        3,
        "A variable is listed as public and comes from a command for sensitive values.",
        "Remove it from one of the two.",
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
        "Run the command again: it takes the next number. Where it names a record, find out who "
        "wrote it.",
    ),
    "record-missigned": CodeEntry(
        7,
        "A record of the ledger is not signed with the key of the team.",
        "Find out who wrote it; `--accept-history` signs what is there, a changed key too.",
    ),
    "record-unsigned": CodeEntry(
        7,
        "The file names a signing key, and a record of the ledger is not signed.",
        "If `signing` is new, or the records are right, `--accept-history` signs what is there.",
    ),
    "record-version": CodeEntry(
        7,
        "A record was written by another version of Underway.",
        "Upgrade Underway on this machine.",
    ),
    "recover-hosts": CodeEntry(
        2,
        "Which new host stands for which one of the restore point is not clear.",
        "Of one host, `--to URL`; of several, `--to OLD=URL` for each.",
    ),
    "recover-no-data": CodeEntry(
        4,
        "The restore point holds no volume that can be made anew.",
        "Volumes with a place of their own (NFS and the like) stand where they stood: `underway "
        "deploy` brings the app.",
    ),
    "recover-not-fresh": CodeEntry(
        4,
        "The app is on these hosts already.",
        "`underway backup restore` brings data back where the app runs; `underway remove` takes "
        "the app off its hosts.",
    ),
    "recover-values-missing": CodeEntry(
        3,
        "Values of the team that no restore point holds are not given on this machine.",
        "Set the variables, and put the files below `--secrets DIRECTORY`; all are named at once.",
    ),
    "recover-which-app": CodeEntry(
        4,
        "The repository holds points of several apps, or of none.",
        "Name the app with -p.",
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
    "registry-refused": CodeEntry(
        10,
        "A registry answered a request with an error.",
        "Run it again; if it stays, look at the registry's log.",
    ),
    "registry-unreachable": CodeEntry(
        6,
        "A registry does not answer a host's engine.",
        "Check from the host that the registry's name and port can be reached.",
    ),
    "release-ambiguous": CodeEntry(
        4,
        "Several recorded releases have this tag: the same image with other configuration.",
        "Name the release by its number; `underway history --releases` lists them.",
    ),
    "release-dirty": CodeEntry(
        4,
        "The policy deploys commits only, and the release holds uncommitted work.",
        "Commit, and deploy the file; rolling back never asks.",
    ),
    "release-unknown": CodeEntry(
        4,
        "No host that answers has a record of this release.",
        "List the releases with `underway history --releases`.",
    ),
    "release-untested": CodeEntry(
        4,
        "A release that was shipped without having passed its tests is not deployed.",
        "Deploy the file, which tests it, or say `--untested`.",
    ),
    "replica-crashed": CodeEntry(
        10,
        "A replica exited, or crashes in a loop.",
        "Read its last lines below the error, mend it, deploy again.",
    ),
    "replica-not-running": CodeEntry(
        4,
        "The replica that a command is meant for does not run.",
        "Choose one that runs: `underway status` lists them.",
    ),
    "replica-unknown": CodeEntry(
        2,
        "A replica was named by a number or a container that the app does not have.",
        "Name one that `underway status` lists.",
    ),
    "report-not-written": CodeEntry(
        2,
        "The file of a report cannot be written where it shall stand.",
        "Name another place with `--output`.",
    ),
    "run-unknown": CodeEntry(
        4,
        "A run was named that no host's record holds.",
        "`underway history` lists them.",
    ),
    "scale-unfit": CodeEntry(
        4,
        "A service cannot have as many replicas as were asked for.",
        "Leave its number, or change what holds it to one in the file.",
    ),
    "schedule-invalid": CodeEntry(
        3,
        "`every` is neither a time nor a cron expression, or names no zone.",
        'Write `"03:00"`, `"0 3 * * 1"`, or either with a zone: `03:00 Europe/Berlin`.',
    ),
    "sensitive-command-failed": CodeEntry(
        3,
        "A command that prints a sensitive value failed.",
        "Run it yourself: it must print the value and end with 0.",
    ),
    "service-hosts-silent": CodeEntry(
        4,
        "No host on which a service stands answers.",
        "Bring one of them back.",
    ),
    "service-not-proxied": CodeEntry(
        2,
        "A URL was asked for of a service that no edge takes users to.",
        "Give it `x-underway: {proxy: HOST}`, or name a service that has it.",
    ),
    "service-stopped": CodeEntry(
        4,
        "A service that is stopped on purpose was to be restarted.",
        "`underway start SERVICE` brings it back.",
    ),
    "service-unknown": CodeEntry(
        2,
        "A service named on the command line is not in the file.",
        "Correct its name: `underway config` lists the services.",
    ),
    "setup-failed": CodeEntry(
        10,
        "A command that sets up a server failed there.",
        "Mend what it says, and run `underway setup` again: it goes on where it stopped.",
    ),
    "setup-host": CodeEntry(
        2,
        "The server to set up is not reached by SSH.",
        "Write `underway setup ssh://root@HOST`.",
    ),
    "setup-no-packages": CodeEntry(
        4,
        "The server has no package client that is known here.",
        "Install Docker as its distribution says, then run it again.",
    ),
    "setup-no-rights": CodeEntry(
        4,
        "Whoever logs in to the server may not become root without a password.",
        "Log in as root for the setup, or let `sudo -n true` work there.",
    ),
    "signing-key-missing": CodeEntry(
        7,
        "The records on a host are signed, and the file names no signing key.",
        "Give the key of the team under `x-underway.signing`.",
    ),
    "signing-key-weak": CodeEntry(
        3,
        "The signing key is too short.",
        "Make one with `openssl rand -hex 32`.",
    ),
    "single-writer-replicas": CodeEntry(
        3,
        "A service that is the single writer of its data has several replicas.",
        "Run one, or say `single_writer: false`.",
    ),
    "single-writer-services": CodeEntry(
        3,
        "Several services write a volume that takes a single writer.",
        "Mount it `:ro` in all but one of them.",
    ),
    "skip-host-unknown": CodeEntry(
        2,
        "The app has no host of this name.",
        "Look at `underway status`, or at `x-underway.hosts`.",
    ),
    "snapshot-data": CodeEntry(
        4,
        "The service keeps data in volumes, and no image holds what is in a volume.",
        "`--with-backup` makes a restore point of it beside the image; `--without-data` leaves it.",
    ),
    "snapshot-file": CodeEntry(
        4,
        "A file cannot be used for an image snapshot.",
        "`underway image snapshot create SERVICE --to FILE` writes one.",
    ),
    "snapshot-gone": CodeEntry(
        4,
        "The container whose file system was to be taken is gone.",
        "A deploy may have replaced it: take the snapshot again.",
    ),
    "snapshot-needed": CodeEntry(
        4,
        "The release that runs is made of this image snapshot.",
        "Deploy or roll back to another release first.",
    ),
    "snapshot-none-runs": CodeEntry(
        4,
        "No container of the service runs: there is no file system to take.",
        "`underway status` tells why.",
    ),
    "snapshot-service": CodeEntry(
        4,
        "The release that runs has no service of this name.",
        "`underway status` lists the services.",
    ),
    "snapshot-unknown": CodeEntry(
        4,
        "No host of the app holds an image snapshot of this name.",
        "`underway image snapshot list` shows them.",
    ),
    "source-dirty": CodeEntry(
        4,
        "The policy ships commits only, and files differ from the commit, or there is none.",
        "Commit, or put aside what `git status` shows.",
    ),
    "source-external": CodeEntry(
        3,
        "A secret or config stands in a Swarm, not in this project.",
        "Give it a `file:` or an `environment:`.",
    ),
    "source-missing": CodeEntry(
        3,
        "A secret or config has no content.",
        "Give it a `file:` or an `environment:`.",
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
        "A host's SSH server forbids forwarding, and the host has no docker command to "
        "go around it.",
        "Set AllowStreamLocalForwarding in sshd_config, or install the Docker CLI on the host.",
    ),
    "ssh-host-key": CodeEntry(
        6,
        "A host's SSH key is unknown, or is not the one known.",
        "Run ssh to the host once, compare the fingerprint and accept it; a changed key "
        "needs a reason first.",
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
    "strategy-at-odds": CodeEntry(
        3,
        "A service's `strategy` and its `update_config.order` contradict.",
        "start-first goes with rolling and blue-green, stop-first with recreate.",
    ),
    "strategy-needs-proxy": CodeEntry(
        3,
        "A service is blue-green without a proxy.",
        "Give it a `proxy`, or use `strategy: rolling`.",
    ),
    "strategy-port-clash": CodeEntry(
        3,
        "A service shall overlap, but its published port cannot be taken twice.",
        "Give it a `proxy`, drop the host port, or use `strategy: recreate`.",
    ),
    "strategy-single-writer": CodeEntry(
        3,
        "A service shall overlap, but it is the single writer of its data.",
        "Use `strategy: recreate`, or say `single_writer: false`.",
    ),
    "subnet-invalid": CodeEntry(
        3,
        "A subnet cannot be used.",
        "Write a private one, such as 10.210.0.0/16.",
    ),
    "subnet-taken": CodeEntry(
        10,
        "A network's subnet overlaps with one that the host has already.",
        "Give the network another subnet, or remove the network that holds this one.",
    ),
    "suite-name": CodeEntry(
        3,
        "A name under `test` cannot be the name of a suite.",
        "Use lower-case letters, digits, `-` and `_`.",
    ),
    "suite-service-missing": CodeEntry(
        4,
        "A suite of the file names a service that the recorded release has not.",
        "Check out the commit of the release, whose file has the suites for it.",
    ),
    "suite-unknown": CodeEntry(
        2,
        "A suite that was named is not in the file.",
        "Name one of those under `test`.",
    ),
    "tag-invalid": CodeEntry(
        3,
        "A tag strategy is empty, `latest`, or has a placeholder that does not exist.",
        "Use a template such as {semver} or {date}-{commit}.",
    ),
    "tag-not-given": CodeEntry(
        4,
        "The tag was not given to a release by `tag add`; tags made when shipping keep the image.",
        "`underway tag list` shows all tags.",
    ),
    "tag-not-removable": CodeEntry(
        4,
        "The registry takes no tags away: deleting is switched off.",
        "Switch it on, or take the tag away in the registry's own pages.",
    ),
    "tag-refused": CodeEntry(
        4,
        "The tag cannot name a release: it is `latest`, moves, or is not well formed.",
        "Use letters, digits, `.`, `_` and `-`.",
    ),
    "tag-taken": CodeEntry(
        4,
        "A tag names another image in the registry already, and is never moved.",
        "Commit what made the difference, or add `{build}` to `tags:`.",
    ),
    "tag-unknown": CodeEntry(
        4,
        "No tag strategy can be filled here.",
        "Tag the commit, give the value on the command line, or add `{date}-{commit}` to `tags:`.",
    ),
    "test-broken": CodeEntry(
        4,
        "A suite could not be run: an engine refused.",
        "Mend what the engine complains of, and run it again.",
    ),
    "test-failed": CodeEntry(
        4,
        "A suite ended with another exit status than 0; nothing was pushed or deployed.",
        "Read its last lines, or all of them in the directory of logs; mend, and run it again.",
    ),
    "test-host-unknown": CodeEntry(
        2,
        "Tests shall run on a host that the app has not.",
        "Name a host of the file.",
    ),
    "test-last-line": CodeEntry(
        4,
        "A suite ended with status 0, but its last line is not the one of success.",
        "Only the last line that is not blank counts: see `result` of the suite.",
    ),
    "test-name-unknown": CodeEntry(
        3,
        "The tests name a service or a host that the file has not.",
        "Correct the name; a service of a profile needs `--profile`.",
    ),
    "test-need-failed": CodeEntry(
        4,
        "A service that a suite needs did not get ready; nothing was pushed or deployed.",
        "Look at its last lines and its health check; `needs_timeout` gives it more time.",
    ),
    "test-timeout": CodeEntry(
        4,
        "A suite was not done within its time limit, and was ended.",
        "Its last lines tell what it waited for; `timeout` gives it more time.",
    ),
    "tests-missing": CodeEntry(
        3,
        "The file declares no tests.",
        "Add `test: {service: ..., command: ...}` to x-underway.",
    ),
    "tls-denied": CodeEntry(
        6,
        "An engine does not take the client certificate that it was shown.",
        "Use a certificate that the engine's authority signed, for clients, and that has not "
        "expired.",
    ),
    "tls-failed": CodeEntry(
        6,
        "What listens at a host's tcp:// address does not speak TLS as an engine does.",
        "Start its dockerd with --tlsverify, or correct the port.",
    ),
    "tls-files": CodeEntry(
        3,
        "The certificates for a tcp:// host are missing, unreadable or do not fit.",
        "Put ca.pem, cert.pem and key.pem into the directory that `certificates` or "
        "DOCKER_CERT_PATH names.",
    ),
    "tls-untrusted": CodeEntry(
        6,
        "An engine's certificate is not one to trust: another authority, another name, or expired.",
        "Compare its names and dates with the host's URL and with ca.pem.",
    ),
    "turned-unhealthy": CodeEntry(
        10,
        "A new replica turned unhealthy while it was watched.",
        "Look at its health check and its last lines, then deploy again.",
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
    "values-missing": CodeEntry(
        7,
        "No vault that answers holds the sensitive values of a release.",
        "Bring the host back that holds them, or use `--current-secrets`.",
    ),
    "values-not-given": CodeEntry(
        4,
        "Today's file lacks a sensitive value that the release needs.",
        "Give the value, or leave out `--current-secrets`.",
    ),
    "variable-missing": CodeEntry(
        3,
        "The file takes a value from a variable that nobody set on this machine.",
        "Set it in the shell, in `.env` or with `--env-file`, or name a command under x-underway "
        "`sensitive`.",
    ),
    "vault-altered": CodeEntry(
        7,
        "The sensitive values on a host cannot be read.",
        "Deploy again with today's values; that writes the vault anew.",
    ),
    "vault-key": CodeEntry(
        7,
        "A host's vault has another key than the rest of the fleet.",
        "Run the command again: it takes the key that stands there. If it comes back, the hosts "
        "belong to two fleets of one app's name: give one another name. Remove nothing for it.",
    ),
    "volume-kind-at-odds": CodeEntry(
        3,
        "A volume's `kind` and `shared` contradict.",
        "Keep one of the two.",
    ),
    "volume-on-several-hosts": CodeEntry(
        3,
        "A local volume would stand on several hosts, each with other data.",
        "Place the service on one host, or declare the volume shared or per-host.",
    ),
    "volume-renamed": CodeEntry(
        4,
        "The file gives a volume another name than the one its data is in.",
        "Keep the old `name`, or add the other volume under a key of its own.",
    ),
    "x-underway-invalid": CodeEntry(
        3,
        "A setting of x-underway has a value that it cannot have.",
        "See the reference of x-underway.",
    ),
    "x-underway-unknown": CodeEntry(
        3,
        "x-underway has a setting that does not exist.",
        "Correct its spelling; the error suggests the nearest.",
    ),
}
