"""Runs the tests of a module and prints a line of JSON for each: {"name": …, "fault": … or null}."""
import importlib
import json
import sys
import traceback
import unittest


class Lines(unittest.TestResult):
    def startTest(self, test):
        super().startTest(test)
        self.fault = None

    def addFailure(self, test, err):
        self.fault = "".join(traceback.format_exception(*err))

    addError = addFailure

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.fault = "%s\n%s" % (subtest, "".join(traceback.format_exception(*err)))

    def stopTest(self, test):
        print(json.dumps({"name": test.id().rsplit(".", 1)[1], "fault": self.fault}), flush=True)
        super().stopTest(test)


module = importlib.import_module(sys.argv[1])
unittest.defaultTestLoader.loadTestsFromModule(module).run(Lines())
