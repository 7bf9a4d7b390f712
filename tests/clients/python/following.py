"""
Follows the ConfigMaps of the namespace in NAMESPACE for ever, as a careful program does, and prints a line of JSON for each event: [type,
name, value]. A watch that breaks goes on after the last revision it told of; a revision that is gone (410) means to list again.
"""
import json
import os
import time

import urllib3
from kubernetes import client, config, watch
from kubernetes.client.rest import ApiException

NAMESPACE = os.environ["NAMESPACE"]
config.load_kube_config()
core = client.CoreV1Api()


def say(kind, name, value=None):
    print(json.dumps([kind, name, value]), flush=True)


def value_of(item):
    return (item.data or {}).get("value")


version = None
while True:
    try:
        if version is None:
            listed = core.list_namespaced_config_map(NAMESPACE, label_selector="watched=yes")
            say("LISTED", ",".join(sorted(item.metadata.name for item in listed.items)))
            version = listed.metadata.resource_version
        watching = watch.Watch()
        follow = watching.stream(
            core.list_namespaced_config_map,
            NAMESPACE,
            label_selector="watched=yes",
            resource_version=version,
            timeout_seconds=300,
        )
        for event in follow:
            item = event["object"]
            version = item.metadata.resource_version
            say(event["type"], item.metadata.name, value_of(item))
    except ApiException as error:
        say("FAULT", str(error.status))
        if error.status == 410:
            version = None
    except urllib3.exceptions.HTTPError:
        say("FAULT", "connection")
    time.sleep(0.2)
