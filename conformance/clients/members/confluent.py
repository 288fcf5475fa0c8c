"""A member of a group, or a producer, with the confluent-kafka client (librdkafka).

    confluent.py member BOOTSTRAP GROUP TOPIC WHO STRATEGY SESSION_MS [INSTANCE]
    confluent.py produce BOOTSTRAP TOPIC WHO COUNT
    confluent.py load BOOTSTRAP TOPIC WHO

A member reads until its standard input ends, and commits what it has read, batch by batch. A producer has default
settings. A load is an idempotent producer that writes until its standard input ends. All tell every event of it.
"""

import itertools
import sys

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from events import Teller, now, until_asked_to_end

FENCED = ("ILLEGAL_GENERATION", "UNKNOWN_MEMBER_ID", "REBALANCE_IN_PROGRESS", "FENCED_INSTANCE_ID")


def _pairs(partitions):
    return [(of.topic, of.partition) for of in partitions]


def member(bootstrap, group, topic, who, strategy, session_ms, instance=None):
    teller, ended = Teller(who, group), until_asked_to_end()
    config = {
        "bootstrap.servers": bootstrap,
        "client.id": who,
        "group.id": group,
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
        "session.timeout.ms": int(session_ms),
        "heartbeat.interval.ms": 500,
        "partition.assignment.strategy": strategy,
    }
    consumer = Consumer({**config, "group.instance.id": instance} if instance else config)
    consumer.subscribe(
        [topic],
        on_assign=lambda _, partitions: teller.told(now(), "assigned", _pairs(partitions)),
        on_revoke=lambda _, partitions: teller.told(now(), "revoked", _pairs(partitions)),
        on_lost=lambda _, partitions: teller.told(now(), "lost", _pairs(partitions)),
    )
    while not ended.is_set():
        began, offsets = now(), {}
        for message in consumer.consume(100, 0.2):
            if message.error():
                continue
            pair = (message.topic(), message.partition())
            offsets[pair] = message.offset() + 1
            teller.tell(began, "polled", partition=pair, offset=message.offset(), value=message.value().decode())
        if offsets:
            _commit(consumer, teller, offsets)
    consumer.close()
    teller.tell(now(), "gone")


def _commit(consumer, teller, offsets):
    began = now()
    try:
        committed = consumer.commit(offsets=[TopicPartition(*pair, at) for pair, at in offsets.items()], asynchronous=False)
    except KafkaException as error:
        name = error.args[0].name()
        teller.committed(began, offsets, {"refused" if name in FENCED else "unknown": name})
        return
    for of in committed:
        answer = {"unknown": of.error.name()} if of.error else "accepted"
        teller.committed(began, {(of.topic, of.partition): of.offset}, answer)


def produce(bootstrap, topic, who, count):
    producer = Producer({"bootstrap.servers": bootstrap, "client.id": who})
    for number in range(int(count)):
        _send(producer, Teller(who), topic, f"{who} {number}", False)
    producer.flush()


def load(bootstrap, topic, who):
    teller, ended = Teller(who), until_asked_to_end()
    # Values go to partitions at random, one after another: each batch is small, and there are many.
    config = {"enable.idempotence": True, "sticky.partitioning.linger.ms": 0, "linger.ms": 1}
    producer = Producer({"bootstrap.servers": bootstrap, "client.id": who, **config})
    for number in itertools.count():
        if ended.wait(0.005):
            break
        _send(producer, teller, topic, f"{who} {number}", True)
    producer.flush()


def _send(producer, teller, topic, value, once):
    began = now()

    def told(error, message):
        fate = {"unknown": error.name()} if error else {"acknowledged": message.offset()}
        partition = None if error else [topic, message.partition()]
        teller.tell(began, "sent", partition=partition, value=value, once=once, fate=fate)

    producer.produce(topic, value.encode(), on_delivery=told)
    producer.poll(0)


{"member": member, "produce": produce, "load": load}[sys.argv[1]](*sys.argv[2:])
