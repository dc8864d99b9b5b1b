"""The handler against a real socket: nothing lost, nothing twice, nobody waits."""

import gc
import logging
import logging.config
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import vendlog
from tests.agent import Agent

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# What a call may take (issue: 5 ms). Interpreters share two processors with other tests: what the
# system takes away from us is not ours, so only the thread's own time counts, and the number of
# times that it slept of its own will.
CALL_MAX_S = 0.005


class Base(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "agent.sock")
        self.logger = logging.Logger("soap")

    def agent(self, **how):
        agent = Agent(self.path, **how)
        self.addCleanup(lambda: os.path.exists(self.path) and agent.close())
        return agent

    def handler(self, **how):
        how.setdefault("exit_timeout_s", 0.2)
        handler = vendlog.Handler(self.path, **how)
        self.addCleanup(handler.close)
        self.logger.addHandler(handler)
        return handler

    def wait(self, what, limit=20.0):
        end = time.monotonic() + limit
        while not what():
            self.assertLess(time.monotonic(), end, "waited in vain")
            time.sleep(0.005)


class Delivery(Base):
    def test_records_arrive_in_order_with_their_fields(self):
        agent, handler = self.agent(), self.handler(component="payment")
        self.logger.error("sale %d failed", 7, extra={"slot": 3})
        for number in range(3000):
            self.logger.info("number %d", number)
        self.assertTrue(handler.flush(20))
        first = agent.entries[0]
        self.assertEqual(first["level"], "ERROR")
        self.assertEqual(first["component"], "payment")
        self.assertEqual(first["message"], "sale 7 failed")
        self.assertEqual(first["context"], {"slot": 3})
        self.assertEqual(agent.messages()[1:], ["number %d" % n for n in range(3000)])
        self.assertEqual(agent.received, 3001, "a sound connection sends nothing twice")
        stats = handler.stats()
        self.assertEqual((stats["acknowledged"], stats["waiting"]), (3001, 0))

    def test_an_agent_that_comes_later_gets_everything(self):
        handler = self.handler()
        for number in range(100):
            self.logger.info("number %d", number)
        self.assertFalse(handler.flush(0.05))
        agent = self.agent()
        self.assertTrue(handler.flush(20))
        self.assertEqual(agent.messages(), ["number %d" % n for n in range(100)])

    def test_answers_that_never_came_lose_nothing_and_store_nothing_twice(self):
        agent, handler = self.agent(hang_up_every=37), self.handler()
        for number in range(500):
            self.logger.info("number %d", number)
        self.assertTrue(handler.flush(30))
        self.assertEqual(agent.messages(), ["number %d" % n for n in range(500)])

    def test_an_agent_that_is_killed_and_comes_back_gets_the_rest(self):
        self.handler()
        log = os.path.join(os.path.dirname(self.path), "out")
        with open(log, "w") as out:
            program = [sys.executable, "-m", "tests.agent", self.path]
            process = subprocess.Popen(program, cwd=ROOT, stdout=out)
            self.wait(lambda: os.path.getsize(log))
            self.logger.info("before")
            handler = self.logger.handlers[0]
            self.assertTrue(handler.flush(20))
            process.send_signal(signal.SIGKILL)
            process.wait()
        os.unlink(self.path)
        self.logger.info("meanwhile")
        agent = self.agent()
        self.logger.info("after")
        self.assertTrue(handler.flush(20))
        self.assertEqual(agent.messages(), ["meanwhile", "after"])

    def test_a_refusal_for_now_is_repeated_and_one_for_good_is_counted(self):
        agent, handler = self.agent(), self.handler()
        agent.refusals = {
            3: {"ok": False, "n": 3, "code": "spool_full", "retry": True, "message": "full"},
            5: {"ok": False, "n": 5, "code": "bad_entry", "retry": False, "message": "bad"},
            7: {"ok": False, "code": "bad_entry", "retry": False, "message": "unread"},
        }
        for number in range(1, 11):
            self.logger.info("%d", number)
        self.assertTrue(handler.flush(20))
        self.assertEqual(agent.messages(), ["1", "2", "3", "4", "6", "8", "9", "10"])
        self.assertEqual(handler.stats()["refused"], 2)

    def test_threads_lose_nothing_and_keep_their_order(self):
        agent, handler = self.agent(hang_up_every=501), self.handler()

        def work(name):
            for number in range(500):
                self.logger.info("%s %d", name, number)

        threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertTrue(handler.flush(30))
        for name in "abcd":
            own = [text for text in agent.messages() if text.startswith(name)]
            self.assertEqual(own, ["%s %d" % (name, number) for number in range(500)])


class Overflow(Base):
    def test_what_has_no_room_is_counted_and_told_where_it_is_missing(self):
        handler = self.handler(capacity_records=50)
        for number in range(80):
            self.logger.info("number %d", number)
        self.assertEqual(handler.stats()["dropped"], 30)
        agent = self.agent()
        self.assertTrue(handler.flush(20))
        self.logger.info("then")
        self.assertTrue(handler.flush(20))
        messages = agent.messages()
        self.assertEqual(messages[:50], ["number %d" % n for n in range(50)])
        self.assertEqual(messages[51:], ["then"])
        gap = agent.entries[50]
        self.assertEqual(gap["level"], "WARN")
        self.assertEqual(gap["context"]["event"], "gap")
        self.assertEqual(gap["context"]["records"], 30)

    def test_large_records_are_bounded_by_bytes_and_the_room_comes_back(self):
        handler = self.handler(capacity_bytes=100000)
        for _ in range(30):
            self.logger.info("x" * 9000)
        dropped = handler.stats()["dropped"]
        self.assertEqual(dropped, 19)
        agent = self.agent()
        for _ in range(5):
            self.assertTrue(handler.flush(20))
            for _ in range(10):
                self.logger.info("y" * 9000)
        self.assertTrue(handler.flush(20))
        self.assertEqual(handler.stats()["dropped"], dropped)
        self.assertEqual(len(agent.entries), 11 + 1 + 50)


class NeverInTheWay(Base):
    def test_nothing_that_is_logged_raises_or_prints(self):
        class Broken:
            def __str__(self):
                raise ValueError("no")

        agent, handler = self.agent(), self.handler()
        handler.setFormatter(logging.Formatter("%(nothing)s"))
        for value in [Broken(), None, b"\xff", float("nan"), [Broken()], {1: Broken()}]:
            self.logger.info("%d", value, extra={"value": value})
            self.logger.info(value)
        self.assertTrue(handler.flush(20))
        self.assertEqual(len(agent.entries), 12)
        self.assertEqual(handler.stats()["failed"], 0)

    def test_no_call_waits_while_the_agent_is_absent_mute_or_stopped(self):
        process = None
        for state in ["absent", "mute", "stopped"]:
            with self.subTest(state):
                if state == "mute":
                    agent = self.agent(is_mute=True)
                if state == "stopped":
                    agent.close()
                    program = [sys.executable, "-m", "tests.agent", self.path]
                    process = subprocess.Popen(program, cwd=ROOT, stdout=subprocess.DEVNULL)
                    self.wait(lambda: os.path.exists(self.path))
                    process.send_signal(signal.SIGSTOP)
                handler = self.handler()
                slowest, sleeps = self.slowest_of(5000)
                self.logger.removeHandler(handler)
                handler.close()
                self.assertLess(slowest, CALL_MAX_S)
                self.assertLess(sleeps, 50, "calls that gave the processor away")
        process.kill()
        process.wait()
        os.unlink(self.path)

    def slowest_of(self, calls):
        """The most time a call took of the processor, and how many of the calls slept."""
        # The garbage collector runs in whatever call comes next, and takes as long as everything
        # that these tests hold is large: that is no time of ours.
        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)
        slowest, sleeps = 0.0, 0
        for number in range(calls):
            slept = voluntary_switches()
            began = time.thread_time()
            self.logger.info("number %d", number, extra={"slot": 3})
            slowest = max(slowest, time.thread_time() - began)
            sleeps += voluntary_switches() != slept
        return slowest, sleeps

    def test_the_end_of_a_program_is_held_up_for_the_named_time_at_most(self):
        self.agent(is_mute=True)
        spent, out = self.program("log.info('x')", 0.5)
        self.assertEqual(out, b"")
        self.assertLess(spent - self.program("pass", 0.5)[0], 1.5)

    def test_a_program_that_just_ends_has_delivered_everything(self):
        agent = self.agent()
        _, out = self.program("for n in range(2000): log.info('%d', n)", 20)
        self.assertEqual(out, b"")
        self.assertEqual(agent.messages(), ["%d" % n for n in range(2000)])

    def program(self, body, exit_timeout_s):
        code = (
            "import logging, sys, vendlog\n"
            "log = logging.getLogger()\n"
            "log.setLevel(logging.INFO)\n"
            "log.addHandler(vendlog.Handler(%r, exit_timeout_s=%r))\n"
            "%s\n" % (self.path, exit_timeout_s, body)
        )
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=60,
        )
        self.assertEqual(done.returncode, 0)
        return time.monotonic() - began, done.stdout

    def test_after_close_records_are_dropped_without_a_word(self):
        agent, handler = self.agent(), self.handler()
        self.logger.info("before")
        self.assertTrue(handler.flush(20))
        handler.close()
        self.logger.info("after")
        self.assertFalse(handler.flush(0))
        self.assertEqual(agent.messages(), ["before"])

    def test_a_forked_child_has_its_own_numbers(self):
        agent, handler = self.agent(), self.handler()
        for number in range(300):
            self.logger.info("parent %d", number)
        child = os.fork()
        if child == 0:
            for number in range(300):
                self.logger.info("child %d", number)
            os._exit(0 if handler.flush(20) else 1)
        for number in range(300, 600):
            self.logger.info("parent %d", number)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        self.assertTrue(handler.flush(20))
        for name, count in [("parent", 600), ("child", 300)]:
            own = [text for text in agent.messages() if text.startswith(name)]
            self.assertEqual(own, ["%s %d" % (name, number) for number in range(count)])
        self.assertEqual(len({entry["sender"] for entry in agent.entries}), 2)

    def test_it_is_configured_like_any_handler(self):
        agent = self.agent()
        logging.config.dictConfig(
            {
                "version": 1,
                "disable_existing_loggers": False,
                "handlers": {"agent": {"class": "vendlog.Handler", "path": self.path}},
                "loggers": {"soap.config": {"handlers": ["agent"], "level": "INFO"}},
            }
        )
        logger = logging.getLogger("soap.config")
        handler = logger.handlers[0]
        logger.debug("no")
        logger.info("yes")
        self.assertTrue(handler.flush(20))
        logger.removeHandler(handler)
        handler.close()
        got = [(entry["component"], entry["message"]) for entry in agent.entries]
        self.assertEqual(got, [("config", "yes")])


def voluntary_switches():
    """How often this thread gave the processor away to wait for something."""
    with open("/proc/thread-self/status") as status:
        for line in status:
            if line.startswith("voluntary"):
                return int(line.split()[1])
    return 0


if __name__ == "__main__":
    unittest.main()
