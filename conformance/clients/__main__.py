"""One case with the confluent-kafka client (librdkafka), against any cluster.

    python3 clients CASE BOOTSTRAP TOPIC [ARGUMENT ...]

A case is a function of admin.py, consume.py, group.py, group_consumer.py or produce.py. It does its work on a topic (or topics) of the
given name, which doesn't exist yet, and returns what it saw; that is printed as JSON. It judges nothing: the caller
does.
"""

import json
import sys

import admin
import consume
import group
import group_consumer
import produce
from common import Cluster


def main(case, bootstrap, topic, *arguments):
    for module in (admin, consume, group, group_consumer, produce):
        if hasattr(module, case):
            print(json.dumps(getattr(module, case)(Cluster(bootstrap, topic), *arguments)))
            return
    sys.exit(f"no such case: {case}")


main(*sys.argv[1:])
