"""What the cases share: clients of one cluster, and short ways to write and read."""

import time

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

PATIENCE = 30  # seconds, for anything that is bound to happen


class Cluster:
    """A cluster, and the name of a topic for this case alone."""

    def __init__(self, bootstrap, topic):
        self.bootstrap = bootstrap
        self.topic = topic

    def producer(self, config=None):
        return Producer({"bootstrap.servers": self.bootstrap, **(config or {})})

    def consumer(self, config=None):
        """A consumer that takes what it is assigned and commits nothing."""
        fixed = {"bootstrap.servers": self.bootstrap, "group.id": self.topic, "enable.auto.commit": False}
        return Consumer({**fixed, **(config or {})})

    def admin(self):
        return AdminClient({"bootstrap.servers": self.bootstrap})

    def create(self, partitions=1, replication_factor=3, config=None):
        """Creates the topic; returns when each partition has a leader."""
        topic = NewTopic(self.topic, partitions, replication_factor, config=config or {})
        admin = self.admin()
        admin.create_topics([topic])[self.topic].result(PATIENCE)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            found = admin.list_topics(timeout=PATIENCE).topics.get(self.topic)
            if found and len(found.partitions) == partitions and all(p.leader >= 0 for p in found.partitions.values()):
                return
            time.sleep(0.05)
        raise TimeoutError(f"{self.topic} has no leaders")

    def send(self, messages, config=None):
        """Sends messages (dicts of Producer.produce's arguments); for each the offset, or the error's name."""
        outcomes = {}
        producer = self.producer(config)
        for index, message in enumerate(messages):

            def told(error, sent, index=index):
                outcomes[index] = error.name() if error else sent.offset()

            producer.produce(self.topic, on_delivery=told, **message)
            producer.poll(0)
        if producer.flush(PATIENCE):
            raise TimeoutError("messages that were neither delivered nor refused")
        return [outcomes[index] for index in range(len(messages))]

    def read(self, count, partition=0, offset=0, config=None):
        """The next `count` messages of a partition from `offset` on."""
        consumer = self.consumer(config)
        consumer.assign([TopicPartition(self.topic, partition, offset)])
        try:
            return [one(consumer) for _ in range(count)]
        finally:
            consumer.close()


def one(consumer):
    """The next message; an error of the client is raised."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        message = consumer.poll(0.5)
        if message is not None and message.error():
            raise KafkaException(message.error())
        if message is not None:
            return message
    raise TimeoutError("no message")


def text(data):
    """Bytes as JSON can say them."""
    return None if data is None else data.decode()


def error_of(action):
    """The name of the error that an action ends in; None if it succeeds."""
    try:
        action()
    except KafkaException as raised:
        return raised.args[0].name()
    return None
