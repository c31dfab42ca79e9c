"""Databases that only some tests need: stand-ins for official images, brought when asked for.

reference = bring(MARIADB, laboratory.registry)
"""

from lab.debian import Recipe
from lab.images import PATH, Image, bring, install_file

__all__ = ["MARIADB", "REDIS", "bring"]

MARIADB = Image(
    "mariadb",
    "lab/mariadb:11",
    Recipe(
        "mariadb",
        "trixie",
        ("mariadb-server-core", "mariadb-client"),
        script="find /usr/share/mariadb -mindepth 1 -maxdepth 1 -type d"
        " ! -name charsets ! -name english -exec rm -rf '{}' +\n"
        "install -d -o mysql -g mysql -m 750 /var/lib/mysql\n"
        "install -d -o mysql -g mysql -m 755 /run/mysqld\n"
        + install_file("mariadb-entrypoint.sh", "/usr/local/bin/docker-entrypoint.sh"),
        prepare="groupadd -r --gid 999 mysql\n"
        "useradd -r --uid 999 --gid mysql --home-dir /var/lib/mysql mysql",
    ),
    (
        ("Entrypoint", ["docker-entrypoint.sh"]),
        ("Cmd", ["mariadbd"]),
        ("ExposedPorts", {"3306/tcp": {}}),
        ("Volumes", {"/var/lib/mysql": {}}),
    ),
)
REDIS = Image(
    "redis",
    "lab/redis:8",
    Recipe(
        "redis",
        "trixie",
        ("redis-server", "redis-tools"),
        script="install -d -o redis -g redis /data\n"
        + install_file("redis-entrypoint.sh", "/usr/local/bin/docker-entrypoint.sh"),
        prepare="groupadd -r --gid 999 redis\n"
        "useradd -r --uid 999 --gid redis --home-dir /data redis",
    ),
    (
        ("Env", [f"PATH={PATH}"]),
        ("Entrypoint", ["docker-entrypoint.sh"]),
        ("Cmd", ["redis-server", "--protected-mode", "no"]),
        ("WorkingDir", "/data"),
        ("ExposedPorts", {"6379/tcp": {}}),
        ("Volumes", {"/data": {}}),
    ),
)
