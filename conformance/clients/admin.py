"""Cases about topics and settings."""

import time

from common import PATIENCE, error_of
from confluent_kafka import ElectionType, TopicPartition
from confluent_kafka.admin import ConfigResource, NewTopic, OffsetSpec, ResourceType


def metadata(cluster):
    """Brokers, controller, and the partitions of a topic."""
    cluster.create(partitions=2)
    found = cluster.admin().list_topics(timeout=PATIENCE)
    partitions = found.topics[cluster.topic].partitions
    return {
        "brokers": len(found.brokers),
        "controller": found.controller_id in found.brokers,
        "cluster_id": bool(found.cluster_id),
        "partitions": [[p.id, len(p.replicas), len(p.isrs), p.leader in p.replicas] for p in partitions.values()],
    }


def describe_cluster(cluster):
    """The cluster's nodes."""
    admin = cluster.admin()
    described = admin.describe_cluster(request_timeout=PATIENCE).result(PATIENCE)
    return {"nodes": len(described.nodes), "controller": described.controller.id in [node.id for node in described.nodes]}


def create_topics(cluster):
    """Topics that can be created, and topics that can't."""
    admin = cluster.admin()

    def outcome(name, partitions, replication_factor, config=None, **options):
        topic = NewTopic(name, partitions, replication_factor, config=config or {})
        return error_of(lambda: admin.create_topics([topic], **options)[name].result(PATIENCE))

    return {
        "validated": outcome(cluster.topic, 1, 1, validate_only=True),
        "created": outcome(cluster.topic, 1, 1, config={"segment.bytes": "1048576"}),
        "again": outcome(cluster.topic, 1, 1),
        "bad name": outcome(cluster.topic + "/", 1, 1),
        "too many replicas": outcome(cluster.topic + "-b", 1, 100),
        "unknown setting": outcome(cluster.topic + "-c", 1, 1, config={"no.such.setting": "1"}),
        "bad setting": outcome(cluster.topic + "-d", 1, 1, config={"segment.bytes": "many"}),
    }


def delete_topic(cluster):
    """A deleted topic is gone, and its name is free again."""
    cluster.create()
    cluster.send([{"value": b"old"}])
    admin = cluster.admin()
    deleted = error_of(lambda: admin.delete_topics([cluster.topic])[cluster.topic].result(PATIENCE))
    deadline = time.monotonic() + PATIENCE
    while cluster.topic in admin.list_topics(timeout=PATIENCE).topics and time.monotonic() < deadline:
        time.sleep(0.05)
    gone = cluster.topic not in admin.list_topics(timeout=PATIENCE).topics
    again = error_of(lambda: admin.delete_topics([cluster.topic])[cluster.topic].result(PATIENCE))
    cluster.create()
    return {"deleted": deleted, "gone": gone, "again": again, "outcomes": cluster.send([{"value": b"new"}])}


def elect_leaders(cluster):
    """Elections in partitions that have their leaders, in one that isn't there, and in all."""
    cluster.create(partitions=2)
    admin = cluster.admin()
    named = [TopicPartition(cluster.topic, index) for index in (0, 1, 2)]

    def outcome(kind, partitions):
        results = admin.elect_leaders(kind, partitions).result(PATIENCE)
        own = [(of.partition, error) for of, error in results.items() if of.topic == cluster.topic]
        return [[index, error and error.name()] for index, error in sorted(own)]

    return {
        "preferred": outcome(ElectionType.PREFERRED, named),
        "unclean": outcome(ElectionType.UNCLEAN, named),
        "all": outcome(ElectionType.PREFERRED, None),
    }


def topic_configs(cluster):
    """A topic's settings: one that was given, one that wasn't."""
    cluster.create(config={"segment.bytes": "1048576"})
    found = _configs(cluster, ResourceType.TOPIC, cluster.topic)
    return {name: [found[name].value, found[name].is_default] for name in ("segment.bytes", "cleanup.policy")}


def broker_configs(cluster):
    """A broker's settings."""
    broker = next(iter(cluster.admin().list_topics(timeout=PATIENCE).brokers))
    found = _configs(cluster, ResourceType.BROKER, str(broker))
    names = ("num.partitions", "default.replication.factor", "auto.create.topics.enable", "message.max.bytes")
    return {name: found[name].value for name in names}


def unknown_configs(cluster):
    """The settings of a topic that doesn't exist."""
    return {"error": error_of(lambda: _configs(cluster, ResourceType.TOPIC, cluster.topic))}


def list_offsets(cluster):
    """Earliest, latest and greatest timestamp, by the administrator's request."""
    cluster.create()
    for number in (3, 1, 2):
        cluster.send([{"value": b"v", "timestamp": 1_000_000 * number}])
    partition = TopicPartition(cluster.topic, 0)
    specs = {"earliest": OffsetSpec.earliest(), "latest": OffsetSpec.latest(), "max": OffsetSpec.max_timestamp()}
    admin = cluster.admin()
    return {name: admin.list_offsets({partition: spec})[partition].result(PATIENCE).offset for name, spec in specs.items()}


def _configs(cluster, kind, name):
    resource = ConfigResource(kind, name)
    admin = cluster.admin()
    return admin.describe_configs([resource])[resource].result(PATIENCE)
