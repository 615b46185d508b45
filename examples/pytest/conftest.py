"""A pytest fixture with a Clarifai app of its own: `annosync emulator`, empty at the start of each test.

The emulator is started as a program, `annosync` or the one that ANNOSYNC names. If ANNOSYNC_EMULATOR is set to the URL of
one that runs already with --control, such as a container, that one is used.
"""

import json
import os
import subprocess
import time
import urllib.error
import urllib.request

import pytest

# The emulator's defaults.
USER, APP, KEY = "owner", "app", "owner-key"


class Emulator:
    """A running emulator: its URL, the key of the app's owner, and helpers."""

    def __init__(self, url, key=KEY):
        self.url = url.rstrip("/")
        self.key = key
        # It is on this machine or next to it, so no proxy is used.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def environment(self):
        """The variables by which the official SDK finds the emulator, among those of this process."""
        return os.environ | {
            "CLARIFAI_API_BASE": self.url,
            "CLARIFAI_PAT": self.key,
            "CLARIFAI_USER_ID": USER,
            "CLARIFAI_APP_ID": APP,
        }

    def wait(self, seconds=30):
        """Waits until the emulator answers."""
        end = time.monotonic() + seconds
        while True:
            try:
                return self._call("GET", "ready")
            except (urllib.error.URLError, ConnectionError):
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)

    def seed(self, annotations):
        """Stores annotations, of any user, as the API lists them. Their inputs are created."""
        self._call("POST", "seed", {"annotations": annotations})

    def dump(self):
        """Everything in the app: `annotations`, `inputs` and `concepts`, as the API lists them."""
        return self._call("GET", "dump")

    def reset(self):
        """Empties the app."""
        self._call("POST", "reset")

    def _call(self, method, action, body=None):
        request = urllib.request.Request(f"{self.url}/_annosync/{action}", method=method)
        request.add_header("Authorization", f"Key {self.key}")
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        try:
            with self._opener.open(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            status = json.load(error).get("status", {})
            raise RuntimeError(f"{action}: {status.get('details') or status}") from error


@pytest.fixture(scope="session")
def running_emulator():
    url = os.environ.get("ANNOSYNC_EMULATOR")
    if url:
        emulator = Emulator(url)
        emulator.wait()
        yield emulator
        return
    program = os.environ.get("ANNOSYNC", "annosync")
    command = [program, "emulator", "--listen", "127.0.0.1:0", "--control"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            # The first line on stdout is the URL.
            url = process.stdout.readline().strip()
            assert url, f"{program} did not start"
            emulator = Emulator(url)
            emulator.wait()
            yield emulator
        finally:
            process.terminate()


@pytest.fixture
def emulator(running_emulator):
    running_emulator.reset()
    return running_emulator
