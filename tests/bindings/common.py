# SPDX-License-Identifier: Apache-2.0
"""What the tests of the binding share. They run in the folder that python.sh has filled, one class each time."""
import os
import subprocess
import unittest

import signengine
from signengine import SignengineError, Status

CONFIG = "engine.xml"
MESSAGE = b"From: alice@example.org\nTo: bob@example.org\nSubject: x\n\nHello\n"


def run(*command, status=0, stdin=b""):
    """What somebody else's tool says, without what is loaded for this process."""
    environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    done = subprocess.run(command, input=stdin, capture_output=True, env=environment)
    if done.returncode != status:
        raise AssertionError("%s: status %d, not %d: %s" % (" ".join(command), done.returncode, status, done.stderr.decode()))
    return done.stdout


def command(*arguments, status=0, stdin=b""):
    return run(os.path.join(os.environ["top_builddir"], "signengine"), *arguments, status=status, stdin=stdin)


def write(path, content):
    with open(path, "wb") as file:
        file.write(content)
    return path


def read(path):
    with open(path, "rb") as file:
        return file.read()


def vectors(name):
    return os.path.join(os.environ["top_srcdir"], "tests", "vectors", name)


class Case(unittest.TestCase):
    def setUp(self):
        self.engine = signengine.Engine(CONFIG)
        self.addCleanup(self.engine.close)

    def refused(self, status, function, *arguments, **options):
        """Exactly this status, with a sentence; the error for more questions."""
        with self.assertRaises(SignengineError) as raised:
            function(*arguments, **options)
        error = raised.exception
        self.assertIs(error.status, status, error.text)
        self.assertTrue(error.text)
        self.assertEqual(str(error), error.text)
        self.assertNotIn("\n", error.text)
        return error
