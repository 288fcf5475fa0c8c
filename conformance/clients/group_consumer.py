"""Cases about groups of the consumer protocol (KIP-848), in which the coordinator shares out the partitions."""

import time

from common import PATIENCE, error_of, one, text
from confluent_kafka import ConsumerGroupType, TopicPartition
from group import _are_shared, _partitions, _until, _write


def _member(cluster, config=None):
    """A consumer that has subscribed, and commits only when it is told to."""
    fixed = {"auto.offset.reset": "earliest", "group.protocol": "consumer"}
    consumer = cluster.consumer({**fixed, **(config or {})})
    consumer.subscribe([cluster.topic])
    return consumer


def consumer_group_goes_on(cluster):
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


def consumer_group_shares(cluster, assignor):
    """Two members share the partitions; when one leaves, the other reads all. No message is read twice meanwhile."""
    cluster.create(partitions=4)
    config = {"group.remote.assignor": assignor}
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


def consumer_group_static(cluster):
    """A static member that starts anew gets the same partitions, and the others hear nothing of it."""
    cluster.create(partitions=2)
    heard = []
    fixed = {"auto.offset.reset": "earliest", "group.protocol": "consumer", "group.instance.id": "other"}
    other = cluster.consumer(fixed)
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


def consumer_group_grows(cluster):
    """A topic that a member wants to read is created while it waits."""
    member = _member(cluster)
    member.poll(0.5)
    cluster.create(partitions=2)
    _until("it reads all", lambda: len(_partitions(member)) == 2, [member])
    read = _partitions(member)
    member.close()
    return {"read": read}


def consumer_group_admin(cluster):
    """Listed by kind, described, not deleted while it has members, and then deleted."""
    cluster.create(partitions=2)
    group, admin = cluster.topic, cluster.admin()
    member = _member(cluster)
    _until("it reads all", lambda: len(_partitions(member)) == 2, [member])
    member.commit(offsets=[TopicPartition(cluster.topic, 0, 0)], asynchronous=False)

    def listed(kind):
        found = admin.list_consumer_groups(request_timeout=PATIENCE, types={kind}).result().valid
        return [found.state.name for found in found if found.group_id == group]

    found = admin.describe_consumer_groups([group], request_timeout=PATIENCE)[group].result()
    described = [found.type.name, found.state.name, found.partition_assignor, len(found.members)]
    read = sorted(of.partition for of in found.members[0].assignment.topic_partitions)
    target = sorted(of.partition for of in found.members[0].target_assignment.topic_partitions)
    busy = error_of(lambda: admin.delete_consumer_groups([group], request_timeout=PATIENCE)[group].result())
    lists = [listed(ConsumerGroupType.CONSUMER), listed(ConsumerGroupType.CLASSIC)]
    member.close()
    empty = listed(ConsumerGroupType.CONSUMER)
    gone = error_of(lambda: admin.delete_consumer_groups([group], request_timeout=PATIENCE)[group].result())
    return {
        "described": described,
        "read": read,
        "target": target,
        "busy": busy,
        "lists": lists,
        "empty": empty,
        "gone": gone,
        "after": listed(ConsumerGroupType.CONSUMER),
    }
