"""How a service's generations follow each other, from the facts of the file.

Two things may not exist twice: a writer of a single-writer volume, and a fixed port of a host. A
service that has one of them is recreated; everything else may overlap.
"""

from dataclasses import dataclass
from typing import Final

from underway.compose.notebook import Notebook, refuse
from underway.compose.x_underway import KEY
from underway.model.spec import Strategy

DATABASES: Final = frozenset(
    {
        "arangodb", "cassandra", "clickhouse", "clickhouse-server", "cockroach", "couchbase",
        "couchdb", "elasticsearch", "etcd", "influxdb", "mariadb", "mongo", "mongodb",
        "mongodb-community-server", "mssql", "mysql", "mysql-server", "neo4j", "opensearch",
        "oracle-free", "percona", "percona-server", "pgvector", "postgis", "postgres",
        "postgresql", "prometheus", "questdb", "rethinkdb", "scylla", "surrealdb",
        "timescaledb", "timescaledb-ha", "victoria-metrics", "zookeeper",
    }
)  # fmt: skip
"""Images whose data directory takes one process; known by the last part of their name."""

STORES_WITH_VOLUME: Final = frozenset(
    {"dragonfly", "keydb", "meilisearch", "minio", "nats", "rabbitmq", "redis", "redis-stack",
     "redis-stack-server", "typesense", "valkey", "valkey-bundle", "qdrant"}
)  # fmt: skip
"""Images that may run twice while they keep nothing, and not with a volume."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What decides. `wished` is x-underway's strategy, `order` Compose's, both "" if not given."""

    wished: str = ""
    order: str = ""
    is_proxied: bool = False
    is_single_writer: bool = False
    has_fixed_port: bool = False
    has_fixed_name: bool = False
    has_host_network: bool = False


def strategy_of(facts: Facts, name: str, notebook: Notebook) -> Strategy:
    """The strategy that the facts allow; raises ConfigurationError where they contradict."""
    wish = _wish(facts, name, notebook)
    place = notebook.place("services", name)
    if wish in {Strategy.ROLLING, Strategy.BLUE_GREEN} and facts.is_single_writer:
        refuse(
            "strategy-single-writer",
            f"service `{name}` cannot run twice at once",
            cause="it is the single writer of its data",
            place=place,
            hint="Use `strategy: recreate`, or say `single_writer: false` if it can.",
        )
    if wish in {Strategy.ROLLING, Strategy.BLUE_GREEN} and facts.has_fixed_port:
        refuse(
            "strategy-port-clash",
            f"service `{name}` cannot run twice at once",
            cause="its published port is taken while the old replica runs",
            place=notebook.place("services", name, "ports"),
            hint="Give it a `proxy`, drop the host port, or use `strategy: recreate`.",
        )
    if wish is Strategy.BLUE_GREEN and not facts.is_proxied:
        refuse(
            "strategy-needs-proxy",
            f"service `{name}` is blue-green without a proxy",
            cause="there is no traffic to switch",
            place=notebook.place("services", name, KEY, "strategy"),
            hint="Give it a `proxy`, or use `strategy: rolling`.",
        )
    if wish is not None:
        return wish
    must_recreate = (
        facts.is_single_writer
        or facts.has_fixed_port
        or facts.has_fixed_name
        or facts.has_host_network
    )
    return Strategy.RECREATE if must_recreate else Strategy.ROLLING


def is_database_image(image: str, *, has_volume: bool) -> bool:
    """Whether an image is known to be the single writer of its data."""
    repository = image.split("@", 1)[0]
    parts = repository.split("/")
    parts[-1] = parts[-1].split(":", 1)[0]
    if parts[-1] in DATABASES or "mssql" in parts:
        return True
    return has_volume and parts[-1] in STORES_WITH_VOLUME


def _wish(facts: Facts, name: str, notebook: Notebook) -> Strategy | None:
    """What the file asks for, if anything; named and from the order must agree."""
    place = notebook.place("services", name, KEY, "strategy")
    is_overlapping = facts.wished in {Strategy.ROLLING, Strategy.BLUE_GREEN}
    if facts.wished and facts.order and is_overlapping != (facts.order == "start-first"):
        refuse(
            "strategy-at-odds",
            f"service `{name}` asks for `strategy: {facts.wished}` and `order: {facts.order}`",
            cause="one starts the new replicas first, the other stops the old ones first",
            place=place,
            hint="start-first goes with rolling and blue-green, stop-first with recreate.",
        )
    if facts.wished:
        return Strategy(facts.wished)
    orders = {"start-first": Strategy.ROLLING, "stop-first": Strategy.RECREATE}
    return orders.get(facts.order)
