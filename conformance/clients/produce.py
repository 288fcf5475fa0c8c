"""Cases about writing."""

import os

from common import text


def acks(cluster, level):
    """Messages are written with this level of acknowledgement."""
    cluster.create()
    outcomes = cluster.send([{"value": b"a"}, {"value": b"b"}, {"value": b"c"}], {"acks": level})
    return {"outcomes": outcomes, "values": [text(message.value()) for message in cluster.read(3)]}


def compression(cluster, codec):
    """A batch that is worth compressing arrives as it was."""
    cluster.create()
    values = [f"{number:04} {'once more ' * 20}".encode() for number in range(200)]
    config = {"compression.codec": codec, "linger.ms": 200, "batch.num.messages": 200}
    outcomes = cluster.send([{"value": value} for value in values], config)
    read = [message.value() for message in cluster.read(len(values))]
    return {"offsets": outcomes == list(range(len(values))), "same": read == values}


def auto_creation(cluster):
    """Writing to a topic that doesn't exist creates it, with the cluster's defaults."""
    outcomes = cluster.send([{"value": b"first"}])
    described = cluster.admin().list_topics(cluster.topic, timeout=30).topics[cluster.topic]
    replicas = [len(partition.replicas) for partition in described.partitions.values()]
    return {"outcomes": outcomes, "replicas": replicas}


def round_trip(cluster):
    """Keys, headers, empty and null values arrive as they were."""
    cluster.create()
    messages = [
        {"key": b"k", "value": b"v", "headers": [("h", b"1"), ("h", b"2"), ("none", None), ("empty", b"")]},
        {"key": None, "value": b""},
        {"key": b"", "value": None},
        {"key": "ключ".encode(), "value": "значение".encode(), "timestamp": 1234567890123},
    ]
    outcomes = cluster.send(messages)
    read = cluster.read(len(messages))
    seen = [[text(m.key()), text(m.value()), [[k, text(v)] for k, v in m.headers() or []]] for m in read]
    return {"outcomes": outcomes, "seen": seen, "timestamp": list(read[3].timestamp())}


def large(cluster, size):
    """A message of `size` random bytes is written and read, or refused."""
    cluster.create()
    value = os.urandom(int(size))
    outcomes = cluster.send([{"value": value}], {"message.max.bytes": 8_000_000})
    read = cluster.read(1)[0].value() == value if outcomes == [0] else None
    return {"outcomes": outcomes, "same": read}


def many_partitions(cluster, count):
    """Every partition of a topic takes messages, and gives back its own."""
    count = int(count)
    cluster.create(partitions=count)
    messages = [{"partition": n % count, "value": str(n).encode()} for n in range(4 * count)]
    outcomes = cluster.send(messages)
    seen = [[int(message.value()) for message in cluster.read(4, partition)] for partition in range(count)]
    expected = [list(range(partition, 4 * count, count)) for partition in range(count)]
    return {"offsets": outcomes == [n // count for n in range(4 * count)], "same": seen == expected}


def many_messages(cluster, count):
    """Messages keep their order over many batches."""
    cluster.create()
    values = [str(number).encode() for number in range(int(count))]
    # One request at a time: the order is to survive a retry as well.
    config = {"batch.num.messages": 100, "max.in.flight": 1}
    outcomes = cluster.send([{"value": value} for value in values], config)
    read = [message.value() for message in cluster.read(len(values))]
    return {"offsets": outcomes == list(range(len(values))), "same": read == values}


def unknown_partition(cluster):
    """A partition beyond the last is refused."""
    cluster.create()
    return {"outcomes": cluster.send([{"partition": 7, "value": b"v"}], {"message.timeout.ms": 20000})}
