"""An application whose every logging call is measured while its agent is in trouble.

    python3 calls.py SOCKET FOLDER CALLS ROUNDS

Says `ready` when the agent has taken some records; measures when FOLDER/go is there, and prints a
line of JSON for each round; goes on when FOLDER/back is there, and prints what became of all.

For each call three things are measured: the time on the wall, the thread's own time of the
processor, and whether the thread gave the processor away to wait for something. On a machine that
is busy elsewhere the scheduler takes milliseconds from any call (beside each call of ours stands
one with a handler that does nothing, which shows it), but such a call has not waited: it could have
run all the time. So a round is good when every call took at most 5 ms, or when every longer one was
only interrupted, and none used more than 5 ms of the processor itself. The first good
round ends it: a call that waits for the agent would do so in every round.
"""

import json
import logging
import os
import resource
import sys
import time

import vendlog

LIMIT_S = 0.005


def logger(name, handler):
    made = logging.getLogger(name)
    made.propagate = False
    made.setLevel(logging.INFO)
    made.addHandler(handler)
    return made


def wait_for(path):
    while not os.path.exists(path):
        time.sleep(0.01)


def waited():
    return resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw


def timed(log, number):
    slept, own, began = waited(), time.thread_time(), time.perf_counter()
    log.info("Entry %d of a round", number, extra={"slot": number % 40, "event": "test"})
    spent, own = time.perf_counter() - began, time.thread_time() - own
    return spent, own, waited() - slept


def figures(calls):
    walls = sorted(wall for wall, _, _ in calls)
    return {
        "p999_ms": round(walls[int(len(walls) * 0.999)] * 1000, 3),
        "max_ms": round(walls[-1] * 1000, 3),
        "max_own_ms": round(max(own for _, own, _ in calls) * 1000, 3),
        "slow": sum(wall > LIMIT_S for wall, _, _ in calls),
        "slow_and_waited": sum(wall > LIMIT_S and slept > 0 for wall, _, slept in calls),
    }


def is_good(found):
    interrupted_only = found["slow_and_waited"] == 0 and found["max_own_ms"] <= LIMIT_S * 1000
    return found["slow"] == 0 or interrupted_only


def main():
    path, folder, calls, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    handler = vendlog.Handler(path)
    ours, null = logger("ours", handler), logger("null", logging.NullHandler())
    for number in range(100):
        ours.info("before %d", number)
    assert handler.flush(30), handler.stats()
    print("ready", flush=True)
    wait_for(os.path.join(folder, "go"))
    made = 100
    for _ in range(rounds):
        of_ours, of_null = [], []
        for number in range(calls):
            of_ours.append(timed(ours, number))
            of_null.append(timed(null, number))
        made += calls
        found = {"ours": figures(of_ours), "null": figures(of_null)}
        found["good"] = is_good(found["ours"])
        print(json.dumps(found), flush=True)
        if found["good"]:
            break
    print("measured", flush=True)
    wait_for(os.path.join(folder, "back"))
    flushed = handler.flush(60)
    print(json.dumps({"made": made, "flushed": flushed, "stats": handler.stats()}), flush=True)


main()
