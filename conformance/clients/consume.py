"""Cases about reading."""

import json
import time

from common import PATIENCE, error_of, one, text
from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, TopicPartition


def _values(messages):
    return [text(message.value()) for message in messages]


def from_beginning(cluster):
    """The beginning, by its name."""
    cluster.create()
    cluster.send([{"value": b"a"}, {"value": b"b"}])
    return {"values": _values(cluster.read(2, offset=OFFSET_BEGINNING))}


def from_offset(cluster):
    """An offset in the middle of a batch."""
    cluster.create()
    cluster.send([{"value": str(number).encode()} for number in range(10)], {"linger.ms": 100})
    read = cluster.read(3, offset=7)
    return {"values": _values(read), "offsets": [message.offset() for message in read]}


def from_timestamp(cluster):
    """The first offset at or after a time; the end, if there is none."""
    cluster.create()
    for number in range(1, 5):
        cluster.send([{"value": str(number).encode(), "timestamp": 1_000_000 * number}])
    consumer = cluster.consumer()
    times = [0, 1_000_000, 1_000_001, 4_000_000, 4_000_001]
    found = [consumer.offsets_for_times([TopicPartition(cluster.topic, 0, at)], PATIENCE)[0].offset for at in times]
    consumer.close()
    return {"found": found, "values": _values(cluster.read(2, offset=found[2]))}


def watermarks(cluster):
    """The first offset and the high watermark."""
    cluster.create()
    consumer = cluster.consumer()
    partition = TopicPartition(cluster.topic, 0)
    empty = consumer.get_watermark_offsets(partition, PATIENCE)
    cluster.send([{"value": b"a"}, {"value": b"b"}], {"acks": "all"})
    written = consumer.get_watermark_offsets(partition, PATIENCE)
    consumer.close()
    return {"empty": list(empty), "written": list(written)}


def waits_at_end(cluster, fetch_wait_ms):
    """At the end a consumer waits; how many Fetch requests it needs for that, by the client's own count."""
    cluster.create()
    counts = []

    def told(statistics):
        brokers = json.loads(statistics)["brokers"].values()
        counts.append((time.monotonic(), sum(broker["req"].get("Fetch", 0) for broker in brokers)))

    config = {"fetch.wait.max.ms": int(fetch_wait_ms), "statistics.interval.ms": 250, "stats_cb": told}
    consumer = cluster.consumer(config)
    consumer.assign([TopicPartition(cluster.topic, 0, OFFSET_END)])
    quiet_until = time.monotonic() + 4
    while time.monotonic() < quiet_until:
        consumer.poll(0.1)
    (began, before), (ended, after) = counts[len(counts) // 3], counts[-1]
    cluster.send([{"value": b"at last"}])
    woken = one(consumer)
    consumer.close()
    waited_ms = int(1000 * (ended - began))
    return {"fetches": after - before, "waited_ms": waited_ms, "value": text(woken.value())}


def out_of_range(cluster):
    """An offset beyond the end is an error, if the client is told not to help itself."""
    cluster.create()
    cluster.send([{"value": b"a"}])
    config = {"auto.offset.reset": "error"}
    return {"error": error_of(lambda: cluster.read(1, offset=100, config=config))}


def unknown_topic(cluster):
    """A topic that doesn't exist isn't created by asking for it as a reader."""
    consumer = cluster.consumer({"allow.auto.create.topics": False})
    found = consumer.list_topics(cluster.topic, timeout=PATIENCE).topics[cluster.topic]
    consumer.close()
    exists = cluster.topic in cluster.admin().list_topics(timeout=PATIENCE).topics
    return {"error": found.error.name(), "exists": exists}
