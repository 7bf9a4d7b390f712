"""A small operator as one writes it with the Python client of Debian: it serves its webhook, waits to be the leader, and reconciles."""
import datetime
import json
import os
import queue
import sys
import threading
import time

from kubernetes import client, config, dynamic, watch
from kubernetes.client.rest import ApiException
from kubernetes.leaderelection import electionconfig, leaderelection

import webhooks
from lease_lock import LeaseLock

GROUP = os.environ["OPERATOR_GROUP"]
NAMESPACE = os.environ["OPERATOR_NAMESPACE"]
IDENTITY = os.environ["OPERATOR_IDENTITY"]
LEASE_SECONDS = int(os.environ["OPERATOR_LEASE_SECONDS"])
TLS_DIR = os.environ["OPERATOR_TLS_DIR"]
API_VERSION = GROUP + "/" + webhooks.NEW
FINALIZER = GROUP + "/directory"
# A ConfigMap with an entry for each site: what no owner reference can clean up.
DIRECTORY = "directory"
RETRY = 0.2


def say(text):
    print(text, flush=True)


class Operator:
    def __init__(self):
        self.core = client.CoreV1Api()
        self.custom = client.CustomObjectsApi()
        self.dynamic = dynamic.DynamicClient(client.ApiClient())
        self.sites = self.dynamic.resources.get(api_version=API_VERSION, kind="Site")
        self.deployments = self.dynamic.resources.get(api_version="apps/v1", kind="Deployment")
        self.config_maps = self.dynamic.resources.get(api_version="v1", kind="ConfigMap")
        self.keys = queue.Queue()
        self.waiting = set()
        self.lock = threading.Lock()

    def run(self):
        self.ensure_directory()
        threading.Thread(target=self.follow, args=(self.sites, self.key_of_site), daemon=True).start()
        threading.Thread(target=self.follow, args=(self.deployments, self.key_of_deployment), daemon=True).start()
        while True:
            key = self.keys.get()
            with self.lock:
                self.waiting.discard(key)
            try:
                self.reconcile(*key)
            except Exception as error:  # whatever it is, the site is looked at again
                if not (isinstance(error, ApiException) and error.status == 409):
                    print("%s/%s: %r" % (*key, error), file=sys.stderr, flush=True)
                threading.Timer(RETRY, self.enqueue, args=(key,)).start()

    def enqueue(self, key):
        with self.lock:
            if key in self.waiting:
                return
            self.waiting.add(key)
        self.keys.put(key)

    @staticmethod
    def key_of_site(metadata):
        return metadata["namespace"], metadata["name"]

    @staticmethod
    def key_of_deployment(metadata):
        for owner in metadata.get("ownerReferences", []):
            if owner.get("controller") and owner["apiVersion"] == API_VERSION:
                return metadata["namespace"], owner["name"]
        return None

    def follow(self, resource, key_of):
        """Lists and watches for ever; what a lost connection or a compaction took is made up for by the next list."""
        while True:
            try:
                known = resource.get().to_dict()
                for item in known["items"]:
                    self.notice(key_of(item["metadata"]))
                version = known["metadata"]["resourceVersion"]
                for event in resource.watch(resource_version=version, watcher=watch.Watch()):
                    self.notice(key_of(event["raw_object"]["metadata"]))
            except Exception as error:
                print("%s: %r" % (resource.name, error), file=sys.stderr, flush=True)
                time.sleep(RETRY)

    def notice(self, key):
        if key is not None:
            self.enqueue(key)

    def ensure_directory(self):
        try:
            self.core.create_namespaced_config_map(NAMESPACE, client.V1ConfigMap(metadata=client.V1ObjectMeta(name=DIRECTORY)))
        except ApiException as error:
            if error.status != 409:
                raise

    def reconcile(self, namespace, name):
        """Safe to call again at any point that an earlier call got to."""
        at = (GROUP, webhooks.NEW, namespace, "sites", name)
        try:
            site = self.custom.get_namespaced_custom_object(*at)
        except ApiException as error:
            if error.status == 404:
                return
            raise
        metadata = site["metadata"]
        finalizers = metadata.get("finalizers", [])
        if "deletionTimestamp" in metadata:
            if FINALIZER in finalizers:
                self.enter(namespace, name, None)
                self.tell(site, "Removed", "The site is out of the directory.")
                self.set_finalizers(at, site, [one for one in finalizers if one != FINALIZER])
            return
        if FINALIZER not in finalizers:
            site = self.set_finalizers(at, site, finalizers + [FINALIZER])
        deployment = self.make(site)
        self.enter(namespace, name, site["spec"]["page"].get("title", ""))
        status = self.status_of(site, deployment)
        if status == site.get("status"):
            return
        self.custom.patch_namespaced_custom_object_status(*at, {"status": status})
        if status["conditions"][0]["status"] == "True":
            self.tell(site, "Ready", "The site has %d replicas." % status["readyReplicas"])

    def set_finalizers(self, at, site, finalizers):
        # With the revision, so that nobody else's finalizer is lost.
        metadata = {"finalizers": finalizers, "resourceVersion": site["metadata"]["resourceVersion"]}
        return self.custom.patch_namespaced_custom_object(*at, {"metadata": metadata})

    def enter(self, namespace, name, title):
        self.core.patch_namespaced_config_map(DIRECTORY, NAMESPACE, {"data": {namespace + "." + name: title}})

    def make(self, site):
        namespace, name = site["metadata"]["namespace"], site["metadata"]["name"]
        owner = {"apiVersion": API_VERSION, "kind": "Site", "name": name, "uid": site["metadata"]["uid"]}
        metadata = {"name": name, "ownerReferences": [{**owner, "controller": True, "blockOwnerDeletion": True}]}
        page = site["spec"]["page"]
        text = "<h1>%s</h1>%s" % (page.get("title", ""), page["text"])
        labels = {GROUP + "/site": name}
        self.apply(
            self.config_maps,
            namespace,
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"index.html": text}},
        )
        container = {
            "name": "web",
            "image": "registry.example.com/web:1",
            "volumeMounts": [{"name": "page", "mountPath": "/page"}],
        }
        pod = {"containers": [container], "volumes": [{"name": "page", "configMap": {"name": name}}]}
        spec = {
            "replicas": site["spec"].get("replicas", 1),
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        }
        body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}
        return self.apply(self.deployments, namespace, body)

    def apply(self, resource, namespace, body):
        # As text: this version of the library encodes objects for content types with "json" in them only, and JSON is YAML.
        applied = self.dynamic.server_side_apply(
            resource,
            body=json.dumps(body),
            name=body["metadata"]["name"],
            namespace=namespace,
            field_manager="operator." + GROUP,
            force_conflicts=True,
        )
        return applied.to_dict()

    def status_of(self, site, deployment):
        generation = site["metadata"]["generation"]
        wanted = site["spec"].get("replicas", 1)
        told = deployment.get("status", {})
        is_current = told.get("observedGeneration") == deployment["metadata"]["generation"]
        ready = told.get("readyReplicas", 0) if is_current else 0
        is_ready = is_current and ready == wanted and told.get("updatedReplicas", 0) == wanted
        condition = {
            "type": "Ready",
            "status": "True" if is_ready else "False",
            "reason": "AllReplicasReady" if is_ready else "Progressing",
            "message": "%d of %d replicas are ready" % (ready, wanted),
            "observedGeneration": generation,
            "lastTransitionTime": now(),
        }
        for before in site.get("status", {}).get("conditions", []):
            if before["type"] == "Ready" and before["status"] == condition["status"]:
                condition["lastTransitionTime"] = before["lastTransitionTime"]
        return {"observedGeneration": generation, "readyReplicas": ready, "conditions": [condition]}

    def tell(self, site, reason, message):
        metadata = site["metadata"]
        involved = {key: metadata[key] for key in ("namespace", "name", "uid")}
        name = "%s.%s.%s" % (metadata["name"], metadata["uid"][:8], reason.lower())
        event = {
            "metadata": {"name": name},
            "involvedObject": {"apiVersion": API_VERSION, "kind": "Site", **involved},
            "source": {"component": "operator." + GROUP},
            "firstTimestamp": now(),
            "lastTimestamp": now(),
            **{"reason": reason, "message": message, "type": "Normal", "count": 1},
        }
        try:
            self.core.create_namespaced_event(metadata["namespace"], event)
        except ApiException as error:
            # The namespace may be on its way out, or it was told already.
            if error.status not in (403, 404, 409):
                raise


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def main():
    config.load_kube_config()
    url = webhooks.serve(TLS_DIR)
    say("serving " + url)

    def lead():
        webhooks.register(GROUP, TLS_DIR, url)
        say("leading")
        Operator().run()

    def lost():
        print("the lease is lost", file=sys.stderr, flush=True)
        os._exit(1)

    lock = LeaseLock(GROUP, NAMESPACE, IDENTITY, LEASE_SECONDS)
    settings = electionconfig.Config(
        lock,
        lease_duration=LEASE_SECONDS,
        renew_deadline=LEASE_SECONDS * 0.8,
        retry_period=max(1, LEASE_SECONDS / 5),
        onstarted_leading=lead,
        onstopped_leading=lost,
    )
    leaderelection.LeaderElection(settings).run()


main()
