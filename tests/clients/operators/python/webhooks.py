"""The conversion webhook of Sites: v1alpha1 has title, text and copies side by side, v1 has a page and replicas."""
import base64
import http.server
import json
import os
import ssl
import threading

from kubernetes import client

OLD, NEW = "v1alpha1", "v1"


def convert(request):
    wanted = request["desiredAPIVersion"]
    return {
        "uid": request["uid"],
        "result": {"status": "Success"},
        "convertedObjects": [_convert(item, wanted) for item in request["objects"]],
    }


def _convert(item, wanted):
    if item["apiVersion"] == wanted:
        return item
    spec = item["spec"]
    if wanted.endswith("/" + NEW):
        page = {key: spec[key] for key in ("title", "text") if key in spec}
        changed = {"page": page, **({"replicas": spec["copies"]} if "copies" in spec else {})}
    else:
        changed = {**spec["page"], **({"copies": spec["replicas"]} if "replicas" in spec else {})}
    return {**item, "apiVersion": wanted, "spec": changed}


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = {"apiVersion": review["apiVersion"], "kind": review["kind"], "response": convert(review["request"])}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Requests are not logged."""


def serve(tls_dir):
    """Serves on a free port of the loopback in threads of its own; returns the URL."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.path.join(tls_dir, "tls.crt"), os.path.join(tls_dir, "tls.key"))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return "https://127.0.0.1:%d" % server.server_port


def register(group, tls_dir, url):
    """Has the API server convert Sites at `url`."""
    with open(os.path.join(tls_dir, "ca.crt"), "rb") as file:
        bundle = base64.b64encode(file.read()).decode()
    webhook = {"clientConfig": {"url": url + "/convert", "caBundle": bundle}, "conversionReviewVersions": ["v1"]}
    client.ApiextensionsV1Api().patch_custom_resource_definition(
        "sites." + group, {"spec": {"conversion": {"strategy": "Webhook", "webhook": webhook}}}
    )
