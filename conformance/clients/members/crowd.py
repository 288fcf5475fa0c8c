"""Several members of one group in one process, with the confluent-kafka client (librdkafka).

    crowd.py BOOTSTRAP GROUP TOPIC PROTOCOL HEARTBEAT_MS SESSION_MS

Lines of standard input say who comes and who goes: `join NAME`, `leave NAME`. When it ends all leave. Each member has a
thread, and tells which partitions it is given and gives up.
"""

import resource
import sys
import threading

from confluent_kafka import Consumer
from events import Teller, now

# How long a member that is to leave may take to notice that.
POLL_S = 0.5
ASSIGNORS = {"eager": "range", "cooperative": "cooperative-sticky"}


def _config(bootstrap, group, protocol, heartbeat_ms, session_ms):
    # Nobody writes: what is asked for seldom takes less of the machine.
    common = {"bootstrap.servers": bootstrap, "group.id": group, "enable.auto.commit": False, "fetch.wait.max.ms": 5000}
    if protocol == "consumer":
        # Its times are the coordinator's affair.
        return {**common, "group.protocol": "consumer"}
    classic = {"heartbeat.interval.ms": int(heartbeat_ms), "session.timeout.ms": int(session_ms)}
    return {**common, **classic, "partition.assignment.strategy": ASSIGNORS[protocol]}


def _pairs(partitions):
    return [(of.topic, of.partition) for of in partitions]


class _Member:
    def __init__(self, who, group, topic, config):
        self._teller = Teller(who, group)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._live, args=(topic, {**config, "client.id": who}))
        self._thread.start()

    def _live(self, topic, config):
        consumer, tell = Consumer(config), self._teller.told
        consumer.subscribe(
            [topic],
            on_assign=lambda _, partitions: tell(now(), "assigned", _pairs(partitions)),
            on_revoke=lambda _, partitions: tell(now(), "revoked", _pairs(partitions)),
            on_lost=lambda _, partitions: tell(now(), "lost", _pairs(partitions)),
        )
        while not self._ended.is_set():
            consumer.poll(POLL_S)
        consumer.close()
        self._teller.tell(now(), "gone")

    def leave(self):
        self._ended.set()

    def join_thread(self):
        self._thread.join()


def main(bootstrap, group, topic, *how):
    # Each member has some twenty files open.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    config, members = _config(bootstrap, group, *how), {}
    for line in sys.stdin:
        what, who = line.split()
        if what == "join":
            members[who] = _Member(who, group, topic, config)
        else:
            members[who].leave()
    for member in members.values():
        member.leave()
    for member in members.values():
        member.join_thread()


main(*sys.argv[1:])
