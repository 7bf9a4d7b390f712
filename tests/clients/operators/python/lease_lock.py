"""A Lease as the lock of the library's leader election, which itself knows ConfigMaps only."""
import datetime

from kubernetes import client
from kubernetes.client.rest import ApiException
from kubernetes.leaderelection.leaderelectionrecord import LeaderElectionRecord


class LeaseLock:
    """Give one to `electionconfig.Config`. Writes carry the revision that was read, so that of two candidates one loses."""

    def __init__(self, name, namespace, identity, seconds):
        self.name, self.namespace, self.identity = name, namespace, identity
        self._seconds = seconds
        self._api = client.CoordinationV1Api()
        self._lease = None

    def get(self, name, namespace):
        """True with the record, or False with the API's exception."""
        try:
            self._lease = self._api.read_namespaced_lease(name, namespace)
        except ApiException as error:
            return False, error
        spec = self._lease.spec
        return True, LeaderElectionRecord(
            spec.holder_identity, str(spec.lease_duration_seconds), str(spec.acquire_time), str(spec.renew_time)
        )

    def create(self, name, namespace, election_record):
        now = _now()
        spec = client.V1LeaseSpec(
            holder_identity=election_record.holder_identity,
            lease_duration_seconds=self._seconds,
            acquire_time=now,
            renew_time=now,
            lease_transitions=0,
        )
        lease = client.V1Lease(metadata=client.V1ObjectMeta(name=name), spec=spec)
        try:
            self._api.create_namespaced_lease(namespace, lease)
        except ApiException:
            return False
        return True

    def update(self, name, namespace, updated_record):
        spec = self._lease.spec
        if spec.holder_identity != updated_record.holder_identity:
            spec.acquire_time = _now()
            spec.lease_transitions = (spec.lease_transitions or 0) + 1
        spec.holder_identity = updated_record.holder_identity
        spec.lease_duration_seconds = self._seconds
        spec.renew_time = _now()
        try:
            self._lease = self._api.replace_namespaced_lease(name, namespace, self._lease)
        except ApiException:
            return False
        return True


def _now():
    """With microseconds, which a Lease's times must have, even in the rare moment that has none."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return now.replace(microsecond=now.microsecond or 1)
