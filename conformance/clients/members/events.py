"""How a client in Python tells what happens to it: events of a history, one JSON object a line."""

import json
import sys
import threading
import time

_LOCK = threading.Lock()

now = time.monotonic_ns  # the clock that all clients of this machine share


class Teller:
    """The events of one client; a member of a group, if one is named."""

    def __init__(self, who, group=None):
        self._head = {"who": who} if group is None else {"who": who, "group": group}

    def tell(self, began, did, **more):
        with _LOCK:
            event = {**self._head, "began": began, "ended": now(), "did": did, **more}
            print(json.dumps(event), flush=True)

    def told(self, began, did, pairs, **more):
        """About partitions: pairs of topic and number."""
        self.tell(began, did, partitions=[list(pair) for pair in pairs], **more)

    def committed(self, began, offsets, answer, generation=None):
        """A commit of several partitions' offsets, answered as one."""
        more = {} if generation is None else {"generation": generation}
        for pair, offset in offsets.items():
            self.tell(began, "committed", partition=list(pair), offset=offset, answer=answer, **more)


def until_asked_to_end():
    """An event that is set when standard input ends."""
    ended = threading.Event()

    def wait():
        sys.stdin.read()
        ended.set()

    threading.Thread(target=wait, daemon=True).start()
    return ended
