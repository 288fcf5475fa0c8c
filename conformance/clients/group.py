"""Cases about groups of consumers."""

import os
import signal
import subprocess
import sys
import time

from common import PATIENCE, error_of, one, text
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition

SESSION_MS = 6000  # the least that brokers allow by default


def _member(cluster, config=None):
    """A consumer that has subscribed, and commits only when it is told to."""
    fixed = {"auto.offset.reset": "earliest", "session.timeout.ms": SESSION_MS, "heartbeat.interval.ms": 200}
    consumer = cluster.consumer({**fixed, **(config or {})})
    consumer.subscribe([cluster.topic])
    return consumer


def _until(what, is_so, members):
    """Polls the members until something is so; the values that they got meanwhile, each with its partition."""
    got = []
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for member in members:
            message = member.poll(0.05)
            if message is not None and not message.error():
                got.append((message.partition(), text(message.value())))
        if is_so():
            return got
    raise TimeoutError(what)


def _partitions(member):
    return sorted(assigned.partition for assigned in member.assignment())


def _are_shared(members, count):
    """Every partition has one reader, and no member more than its part."""
    assigned = [_partitions(member) for member in members]
    even = all(len(of_one) * len(members) == count for of_one in assigned)
    return even and sorted(sum(assigned, [])) == list(range(count))


def _write(cluster, count, partitions):
    messages = [{"value": str(number).encode(), "partition": number % partitions} for number in range(count)]
    cluster.send(messages, {"acks": "all"})


def group_goes_on(cluster):
    """What was committed is where the next member begins."""
    cluster.create()
    _write(cluster, 5, 1)
    first = _member(cluster)
    read = [text(one(first).value()) for _ in range(3)]
    first.commit(offsets=[TopicPartition(cluster.topic, 0, 3)], asynchronous=False)
    first.close()
    second = _member(cluster)
    rest = [text(one(second).value()) for _ in range(2)]
    second.close()
    return {"read": read, "rest": rest}


def group_shares(cluster, strategy):
    """Two members share the partitions; when one leaves, the other reads all."""
    cluster.create(partitions=4)
    config = {"partition.assignment.strategy": strategy}
    first = _member(cluster, config)
    _until("the first reads all", lambda: len(_partitions(first)) == 4, [first])
    second = _member(cluster, config)
    both = [first, second]
    _until("both share", lambda: _are_shared(both, 4), both)
    _write(cluster, 40, 4)
    got = []
    deadline = time.monotonic() + PATIENCE
    while len(got) < 40 and time.monotonic() < deadline:
        got += _until("more", lambda: True, both)
    second.close()
    _until("the first reads all again", lambda: len(_partitions(first)) == 4, [first])
    first.close()
    return {"read": len(got), "values": len({value for _, value in got})}


def group_member(cluster):
    """Not a case, but a process of one: reads two messages, commits the first, and goes on until it is killed."""
    member = _member(cluster)
    one(member), one(member)
    member.commit(offsets=[TopicPartition(cluster.topic, 0, 1)], asynchronous=False)
    print("committed", flush=True)
    while True:
        member.poll(0.5)


def group_takes_over(cluster):
    """A member is killed; the next begins where it had committed, not where it had read."""
    cluster.create()
    _write(cluster, 4, 1)
    script = [sys.executable, "-B", os.path.dirname(os.path.abspath(__file__)), "group_member"]
    killed = subprocess.Popen(script + [cluster.bootstrap, cluster.topic], stdout=subprocess.PIPE, text=True)
    try:
        said = killed.stdout.readline().strip()
    finally:
        killed.send_signal(signal.SIGKILL)
        killed.wait()
    member = _member(cluster)
    read = [text(one(member).value()) for _ in range(3)]
    member.close()
    return {"said": said, "read": read}


def group_static(cluster):
    """A static member that starts anew gets the same partitions, and the others hear nothing of it."""
    cluster.create(partitions=2)
    heard = []
    other = cluster.consumer({"session.timeout.ms": SESSION_MS, "group.instance.id": "other"})
    other.subscribe([cluster.topic], on_assign=lambda _, assigned: heard.append(len(assigned)))
    static = {"group.instance.id": "static"}
    first = _member(cluster, static)
    both = [other, first]
    _until("both share", lambda: _are_shared(both, 2), both)
    before, assignments = _partitions(first), len(heard)
    first.close()
    again = _member(cluster, static)
    _until("it is back", lambda: _partitions(again) == before, [other, again])
    outcome = {"same": _partitions(again) == before, "heard": len(heard) - assignments}
    again.close()
    other.close()
    return outcome


def group_commits(cluster):
    """Offsets without membership: kept with what stands beside them, and refused where there is no partition."""
    cluster.create(partitions=2)
    consumer = cluster.consumer()
    at = TopicPartition(cluster.topic, 1, 7, "note")
    consumer.commit(offsets=[at], asynchronous=False)
    found = consumer.committed([TopicPartition(cluster.topic, 0), TopicPartition(cluster.topic, 1)], PATIENCE)
    unknown = error_of(lambda: consumer.commit(offsets=[TopicPartition(cluster.topic, 9, 1)], asynchronous=False))
    consumer.close()
    return {"committed": [[of.offset, of.metadata] for of in found], "unknown": unknown}


def group_zombie(cluster):
    """A member that was silent for too long, and whose partition another reads by then, commits nothing."""
    cluster.create()
    _write(cluster, 3, 1)
    zombie = _member(cluster, {"max.poll.interval.ms": SESSION_MS})
    one(zombie)
    time.sleep(SESSION_MS / 1000 + 1)
    heir = _member(cluster)
    one(heir)
    error = error_of(lambda: zombie.commit(offsets=[TopicPartition(cluster.topic, 0, 3)], asynchronous=False))
    heir.commit(offsets=[TopicPartition(cluster.topic, 0, 1)], asynchronous=False)
    committed = heir.committed([TopicPartition(cluster.topic, 0)], PATIENCE)[0].offset
    heir.close()
    zombie.close()
    return {"refused": error is not None, "committed": committed}


def group_admin(cluster):
    """Listed, described, its offsets set, deleted."""
    cluster.create(partitions=2)
    group, admin = cluster.topic, cluster.admin()
    member = _member(cluster)
    _until("it reads all", lambda: len(_partitions(member)) == 2, [member])
    member.commit(offsets=[TopicPartition(cluster.topic, 0, 0)], asynchronous=False)

    def listed():
        groups = admin.list_consumer_groups(request_timeout=PATIENCE).result().valid
        return [found.state.name for found in groups if found.group_id == group]

    found = admin.describe_consumer_groups([group], request_timeout=PATIENCE)[group].result()
    described = [found.state.name, found.partition_assignor, len(found.members)]
    read = sorted(of.partition for of in found.members[0].assignment.topic_partitions)
    busy = error_of(lambda: admin.delete_consumer_groups([group], request_timeout=PATIENCE)[group].result())
    stable = listed()
    member.close()
    empty = listed()
    to = [ConsumerGroupTopicPartitions(group, [TopicPartition(cluster.topic, 1, 9)])]
    admin.alter_consumer_group_offsets(to, request_timeout=PATIENCE)[group].result()
    asked = [ConsumerGroupTopicPartitions(group)]
    offsets = admin.list_consumer_group_offsets(asked, request_timeout=PATIENCE)[group].result().topic_partitions
    offsets = sorted([of.partition, of.offset] for of in offsets)
    gone = error_of(lambda: admin.delete_consumer_groups([group], request_timeout=PATIENCE)[group].result())
    return {
        "described": described,
        "read": read,
        "stable": stable,
        "busy": busy,
        "empty": empty,
        "offsets": offsets,
        "gone": gone,
        "after": listed(),
    }
