"""Streams of the Python client into the pod that POD names as NAMESPACE/NAME, whose container is CONTAINER."""
import os
import time
import unittest

from kubernetes import client, config
from kubernetes.client.rest import ApiException
from kubernetes.stream import portforward, stream

NAMESPACE, NAME = os.environ["POD"].split("/")
CONTAINER = os.environ["CONTAINER"]
PORT = int(os.environ["PORT"])

config.load_kube_config()


class Streams(unittest.TestCase):
    def setUp(self):
        self.core = client.CoreV1Api()

    def exec(self, command, **options):
        wanted = {"stderr": True, "stdin": False, "stdout": True, "tty": False, **options}
        get = self.core.connect_get_namespaced_pod_exec
        return stream(get, NAME, NAMESPACE, container=CONTAINER, command=command, **wanted)

    def test_a_command_answers(self):
        self.assertEqual(self.exec(["echo", "out"]), "out\n")
        self.assertEqual(sorted(self.exec(["sh", "-c", "echo out; echo err >&2"]).split()), ["err", "out"])

    def test_a_command_has_input_output_and_an_exit_code(self):
        running = self.exec(["sh", "-c", "read line; echo got $line; echo fault >&2; exit 3"], stdin=True, _preload_content=False)
        running.write_stdin("hello\n")
        running.run_forever(timeout=60)
        self.assertEqual(running.read_stdout(), "got hello\n")
        self.assertEqual(running.read_stderr(), "fault\n")
        self.assertEqual(running.returncode, 3)

    def test_a_pod_that_is_not_there_is_named(self):
        get = self.core.connect_get_namespaced_pod_exec
        with self.assertRaises(ApiException) as missing:
            stream(get, "nobody", NAMESPACE, command="true", stdout=True)
        self.assertIn("404", str(missing.exception.reason))

    def test_what_is_attached_to_answers(self):
        get = self.core.connect_get_namespaced_pod_attach
        options = {"stdin": True, "stdout": True, "stderr": False, "tty": False}
        running = stream(get, NAME, NAMESPACE, container=CONTAINER, _preload_content=False, **options)
        running.write_stdin("hello")
        end = time.monotonic() + 60
        heard = ""
        while "HELLO" not in heard and time.monotonic() < end:
            heard += running.read_stdout(timeout=1)
        running.close()
        self.assertEqual(heard, "HELLO")

    def test_logs_are_read_and_followed(self):
        self.assertEqual(self.core.read_namespaced_pod_log(NAME, NAMESPACE), "one\ntwo\nthree\n")
        self.assertEqual(self.core.read_namespaced_pod_log(NAME, NAMESPACE, tail_lines=1), "three\n")
        followed = self.core.read_namespaced_pod_log(NAME, NAMESPACE, follow=True, _preload_content=False)
        lines = followed.read().decode().splitlines()
        self.assertEqual(lines, ["one", "two", "three", "later 0", "later 1", "later 2"])

    def test_a_port_is_forwarded(self):
        forwarding = portforward(self.core.connect_get_namespaced_pod_portforward, NAME, NAMESPACE, ports=str(PORT))
        socket = forwarding.socket(PORT)
        socket.setblocking(True)
        socket.settimeout(60)
        socket.sendall(b"GET /through HTTP/1.1\r\nHost: pod\r\nConnection: close\r\n\r\n")
        answer = b""
        while True:
            part = socket.recv(1024)
            if not part:
                break
            answer += part
        socket.close()
        self.assertTrue(answer.startswith(b"HTTP/1.1 200 OK"), answer)
        self.assertTrue(answer.endswith(b"GET /through"), answer)
        self.assertIsNone(forwarding.error(PORT))
