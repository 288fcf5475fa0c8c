"""A member of a group, or a producer, with the kafka-python client.

    kafka_python.py member BOOTSTRAP GROUP TOPIC WHO STRATEGY SESSION_MS [INSTANCE]
    kafka_python.py produce BOOTSTRAP TOPIC WHO COUNT

A member reads until its standard input ends, and commits what it has read, batch by batch. A producer has default
settings. Both tell every event of it.
"""

import sys

from events import Teller, now, until_asked_to_end
from kafka import ConsumerRebalanceListener, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from kafka.errors import (
    CommitFailedError,
    FencedInstanceIdError,
    IllegalGenerationError,
    KafkaError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)
from kafka.structs import OffsetAndMetadata

FENCED = (
    CommitFailedError,
    FencedInstanceIdError,
    IllegalGenerationError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)
STRATEGIES = {
    "range": RangePartitionAssignor,
    "sticky": StickyPartitionAssignor,
    "cooperative-sticky": CooperativeStickyAssignor,
}


class _Listener(ConsumerRebalanceListener):
    def __init__(self, teller, generation):
        self._teller = teller
        self._generation = generation

    def on_partitions_assigned(self, assigned):
        self._teller.told(now(), "assigned", assigned, generation=self._generation())

    def on_partitions_revoked(self, revoked):
        self._teller.told(now(), "revoked", revoked)

    def on_partitions_lost(self, lost):
        self._teller.told(now(), "lost", lost)


def member(bootstrap, group, topic, who, strategy, session_ms, instance=None):
    teller, ended = Teller(who, group), until_asked_to_end()
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap.split(","),
        client_id=who,
        group_id=group,
        group_instance_id=instance,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        session_timeout_ms=int(session_ms),
        heartbeat_interval_ms=500,
        partition_assignment_strategy=[STRATEGIES[strategy]],
    )

    def generation():
        return consumer.group_metadata().generation_id

    consumer.subscribe([topic], listener=_Listener(teller, generation))
    while not ended.is_set():
        began, offsets = now(), {}
        for partition, records in consumer.poll(timeout_ms=200).items():
            for record in records:
                value = record.value.decode()
                teller.tell(began, "polled", partition=list(partition), offset=record.offset, value=value)
            offsets[tuple(partition)] = records[-1].offset + 1
        if offsets:
            _commit(consumer, teller, offsets, generation)
    consumer.close()
    teller.tell(now(), "gone")


def _commit(consumer, teller, offsets, generation):
    began, before, answer = now(), generation(), "accepted"
    try:
        consumer.commit({TopicPartition(*pair): OffsetAndMetadata(at, "", -1) for pair, at in offsets.items()})
    except KafkaError as error:
        answer = {"refused" if isinstance(error, FENCED) else "unknown": type(error).__name__}
    teller.committed(began, offsets, answer, before if before == generation() else None)


def produce(bootstrap, topic, who, count):
    teller = Teller(who)
    producer = KafkaProducer(bootstrap_servers=bootstrap.split(","), client_id=who)
    under_way = []
    for number in range(int(count)):
        value = f"{who} {number}"
        under_way.append((now(), value, producer.send(topic, value.encode())))
    for began, value, future in under_way:
        try:
            sent = future.get(timeout=60)
            partition, fate = [topic, sent.partition], {"acknowledged": sent.offset}
        except KafkaError as error:
            partition, fate = None, {"unknown": type(error).__name__}
        teller.tell(began, "sent", partition=partition, value=value, once=True, fate=fate)
    producer.close()


{"member": member, "produce": produce}[sys.argv[1]](*sys.argv[2:])
