"""What programs do with the Python client of Debian. The namespace in NAMESPACE is theirs."""
import base64
import json
import os
import tempfile
import time
import unittest

import yaml
from kubernetes import client, config, dynamic, utils
from kubernetes.client.rest import ApiException
from kubernetes.dynamic.exceptions import ConflictError, NotFoundError, ResourceNotFoundError

NAMESPACE = os.environ["NAMESPACE"]
COUPONS = os.environ["COUPONS"]

config.load_kube_config()


def eventually(ask, seconds=60):
    end = time.monotonic() + seconds
    while True:
        answer = ask()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError("not in %d s" % seconds)
        time.sleep(0.1)


def body_of(error):
    return json.loads(error.body)


def deployment(image="shop:1"):
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": image}]}},
        },
    }


class Typed(unittest.TestCase):
    def setUp(self):
        self.core = client.CoreV1Api()
        self.apps = client.AppsV1Api()

    def test_the_version_is_one_of_kubernetes(self):
        version = client.VersionApi().get_code()
        self.assertEqual((version.major, version.minor), ("1", "36"))

    def test_objects_become_the_models_of_the_library(self):
        made = self.apps.create_namespaced_deployment(NAMESPACE, deployment())
        self.addCleanup(self.apps.delete_namespaced_deployment, "web", NAMESPACE)
        self.assertIsInstance(made, client.V1Deployment)
        self.assertEqual(made.spec.replicas, 1)
        self.assertEqual(made.spec.strategy.rolling_update.max_surge, "25%")
        self.assertEqual(made.metadata.creation_timestamp.tzname(), "UTC")
        scale = self.apps.patch_namespaced_deployment_scale("web", NAMESPACE, {"spec": {"replicas": 0}})
        self.assertEqual(scale.spec.replicas, 0)

    def test_patches_are_merged_as_their_type_says(self):
        self.apps.create_namespaced_deployment(NAMESPACE, deployment())
        self.addCleanup(self.apps.delete_namespaced_deployment, "web", NAMESPACE)
        sidecar = {"spec": {"template": {"spec": {"containers": [{"name": "log", "image": "log:1"}]}}}}
        images = lambda it: sorted(one.image for one in it.spec.template.spec.containers)
        # The library sends a list as a JSON patch and anything else as a strategic one.
        self.assertEqual(images(self.apps.patch_namespaced_deployment("web", NAMESPACE, sidecar)), ["log:1", "shop:1"])
        operations = [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "new"}]
        self.assertIn("new", images(self.apps.patch_namespaced_deployment("web", NAMESPACE, operations)))
        resource = dynamic.DynamicClient(client.ApiClient()).resources.get(api_version="apps/v1", kind="Deployment")
        merged = resource.patch(body=sidecar, name="web", namespace=NAMESPACE, content_type="application/merge-patch+json")
        self.assertEqual([one.image for one in merged.spec.template.spec.containers], ["log:1"])

    def test_faults_have_the_status_of_kubernetes(self):
        with self.assertRaises(ApiException) as missing:
            self.core.read_namespaced_pod("nobody", NAMESPACE)
        self.assertEqual((missing.exception.status, missing.exception.reason), (404, "Not Found"))
        self.assertEqual(body_of(missing.exception)["message"], 'pods "nobody" not found')
        with self.assertRaises(ApiException) as invalid:
            self.core.create_namespaced_service(NAMESPACE, {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 0}]}})
        self.assertEqual(invalid.exception.status, 422)
        self.assertEqual(body_of(invalid.exception)["details"]["causes"][0]["field"], "spec.ports[0].port")

    def test_a_collection_is_read_in_pages_and_deleted_at_once(self):
        labels = {"page": "yes"}
        for _ in range(5):
            self.core.create_namespaced_config_map(NAMESPACE, {"metadata": {"generateName": "p-", "labels": labels}})
        names, token = [], None
        while True:
            page = self.core.list_namespaced_config_map(NAMESPACE, label_selector="page=yes", limit=2, _continue=token)
            names += [item.metadata.name for item in page.items]
            token = page.metadata._continue
            if not token:
                break
        self.assertEqual(len(set(names)), 5)
        self.core.delete_collection_namespaced_config_map(NAMESPACE, label_selector="page=yes")
        self.assertEqual(self.core.list_namespaced_config_map(NAMESPACE, label_selector="page=yes").items, [])

    def test_deleting_waits_for_dependents_in_the_foreground(self):
        self.apps.create_namespaced_deployment(NAMESPACE, deployment())
        eventually(lambda: self.apps.list_namespaced_replica_set(NAMESPACE).items)
        self.apps.delete_namespaced_deployment("web", NAMESPACE, propagation_policy="Foreground")
        eventually(lambda: not self.apps.list_namespaced_deployment(NAMESPACE).items)
        self.assertEqual(self.apps.list_namespaced_replica_set(NAMESPACE).items, [])


class Yaml(unittest.TestCase):
    def test_a_file_of_documents_is_created(self):
        documents = [
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "from-yaml"}, "data": {"a": "1"}},
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "from-yaml"}, "spec": {"ports": [{"port": 80}]}},
            {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "from-yaml"}, "spec": {
                "schedule": "0 0 * * *", "jobTemplate": {"spec": {"template": {"spec": {
                    "restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}}}}},
        ]
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            yaml.safe_dump_all(documents, file)
            file.flush()
            made = utils.create_from_yaml(client.ApiClient(), file.name, namespace=NAMESPACE)
            self.assertEqual([one[0].kind or type(one[0]).__name__ for one in made], ["ConfigMap", "Service", "CronJob"])
            with self.assertRaises(utils.FailToCreateError) as again:
                utils.create_from_yaml(client.ApiClient(), file.name, namespace=NAMESPACE)
        self.assertEqual([error.status for error in again.exception.api_exceptions], [409, 409, 409])


class Dynamic(unittest.TestCase):
    def setUp(self):
        self.client = dynamic.DynamicClient(client.ApiClient())

    def test_kinds_are_found_by_discovery(self):
        self.assertTrue(self.client.resources.get(api_version="apps/v1", kind="Deployment").namespaced)
        self.assertEqual(self.client.resources.get(api_version="v1", kind="Node").name, "nodes")
        self.assertEqual(self.client.resources.get(short_names=["hpa"], api_version="autoscaling/v2").kind, "HorizontalPodAutoscaler")
        with self.assertRaises(ResourceNotFoundError):
            self.client.resources.get(api_version="v1", kind="Nonsense")

    def test_objects_are_applied_and_conflict_with_who_owns_a_field(self):
        resource = self.client.resources.get(api_version="v1", kind="ConfigMap")

        def apply(manager, value, force=None):
            body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "applied"}, "data": {"key": value}}
            return resource.server_side_apply(
                body=json.dumps(body), name="applied", namespace=NAMESPACE, field_manager=manager, force_conflicts=force
            )

        self.assertEqual(apply("one", "1").data.key, "1")
        with self.assertRaises(ConflictError) as conflict:
            apply("two", "2")
        self.assertIn('conflict with "one": .data.key', conflict.exception.summary())
        self.assertEqual(apply("two", "2", True).data.key, "2")

    def test_a_new_definition_is_served_and_discovered(self):
        with open(COUPONS) as file:
            utils.create_from_dict(client.ApiClient(), yaml.safe_load(file))
        extensions = client.ApiextensionsV1Api()

        def established():
            status = extensions.read_custom_resource_definition("coupons.shop.example.com").status
            return any(one.type == "Established" and one.status == "True" for one in status.conditions or [])

        eventually(established)
        resource = self.client.resources.get(api_version="shop.example.com/v1", kind="Coupon")
        body = {"apiVersion": "shop.example.com/v1", "kind": "Coupon", "metadata": {"name": "spring"}, "spec": {"percent": 5}}
        self.assertTrue(resource.create(body=body, namespace=NAMESPACE).spec.once)
        custom = client.CustomObjectsApi()
        at = ("shop.example.com", "v1", NAMESPACE, "coupons")
        self.assertEqual(custom.patch_namespaced_custom_object(*at, "spring", {"spec": {"percent": 7}})["spec"]["percent"], 7)
        with self.assertRaises(ApiException) as invalid:
            custom.patch_namespaced_custom_object(*at, "spring", {"spec": {"percent": 700}})
        self.assertEqual(invalid.exception.status, 422)
        self.assertEqual([one["metadata"]["name"] for one in custom.list_namespaced_custom_object(*at)["items"]], ["spring"])
        resource.delete(name="spring", namespace=NAMESPACE)
        with self.assertRaises(NotFoundError):
            resource.get(name="spring", namespace=NAMESPACE)

    def test_a_watch_tells_what_happens_to_any_kind(self):
        resource = self.client.resources.get(api_version="v1", kind="ConfigMap")
        version = resource.get(namespace=NAMESPACE).metadata.resourceVersion
        resource.create(body={"metadata": {"name": "seen"}}, namespace=NAMESPACE)
        resource.delete(name="seen", namespace=NAMESPACE)
        events = resource.watch(namespace=NAMESPACE, resource_version=version, timeout=30)
        told = [(event["type"], event["object"].metadata.name) for event, _ in zip(events, range(2))]
        self.assertEqual(told, [("ADDED", "seen"), ("DELETED", "seen")])


class SignIn(unittest.TestCase):
    def who_am_i(self, user):
        context = config.list_kube_config_contexts()[1]["context"]
        with open(os.environ["KUBECONFIG"]) as file:
            known = yaml.safe_load(file)
        cluster = next(one for one in known["clusters"] if one["name"] == context["cluster"])
        changed = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [cluster],
            "users": [{"name": "me", "user": user}],
            "contexts": [{"name": "c", "context": {"cluster": cluster["name"], "user": "me"}}],
            "current-context": "c",
        }
        # From a file: of a dictionary the library does not know in which folder programs are to run.
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(changed, file)
            file.flush()
            api = config.new_client_from_config(config_file=file.name)
        # This version of the library is older than SelfSubjectReview; its access reviews say who is meant when they refuse.
        try:
            client.CoreV1Api(api).list_node()
        except ApiException as error:
            return error.status, body_of(error)["message"].split('"')[1::2][:1]
        return 200, []

    def token(self):
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
        make = lambda: client.CoreV1Api().create_namespaced_service_account_token("default", NAMESPACE, request)
        return make().status.token

    def test_a_certificate_signs_in(self):
        self.assertTrue(client.CoreV1Api().list_node() is not None)

    def test_a_token_signs_in(self):
        account = "system:serviceaccount:%s:default" % NAMESPACE
        self.assertEqual(self.who_am_i({"token": self.token()}), (403, [account]))

    def test_a_token_file_signs_in(self):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(self.token())
            file.flush()
            account = "system:serviceaccount:%s:default" % NAMESPACE
            self.assertEqual(self.who_am_i({"tokenFile": file.name}), (403, [account]))

    def test_a_program_signs_in(self):
        credential = {
            "apiVersion": "client.authentication.k8s.io/v1beta1",
            "kind": "ExecCredential",
            "status": {"token": self.token()},
        }
        run = {"apiVersion": credential["apiVersion"], "command": "echo", "args": [json.dumps(credential)]}
        account = "system:serviceaccount:%s:default" % NAMESPACE
        self.assertEqual(self.who_am_i({"exec": run}), (403, [account]))

    def test_a_wrong_token_is_refused(self):
        self.assertEqual(self.who_am_i({"token": "nonsense"})[0], 401)

    def test_a_secret_is_what_was_put_in(self):
        core = client.CoreV1Api()
        core.create_namespaced_secret(NAMESPACE, {"metadata": {"name": "s"}, "stringData": {"key": "välue"}})
        data = core.read_namespaced_secret("s", NAMESPACE).data
        self.assertEqual(base64.b64decode(data["key"]).decode(), "välue")
