/** A pod runs as a service account, whose credentials it finds mounted. Source: kubernetes `plugin/pkg/admission/serviceaccount`. */
import type { Container, Pod, ServiceAccount, Volume } from '../../api/core/v1/types.gen.ts'
import { sleep, type Clock } from '../../base/clock.ts'
import { randomSuffix, type Random } from '../../base/random.ts'
import { forbidden } from '../../machinery/status.ts'
import type { Lookup } from '../registry/lookup.ts'
import type { AdmissionPlugin } from './admission.ts'

export const MOUNT_PATH = '/var/run/secrets/kubernetes.io/serviceaccount'
const VOLUME_PREFIX = 'kube-api-access-'
const MIRROR = 'kubernetes.io/config.mirror'
/** An hour, and seven seconds that tell these tokens from others. */
const TOKEN_SECONDS = 3607
const SERVICE_ACCOUNTS = { group: '', version: 'v1', resource: 'serviceaccounts' }
/** A new namespace gets its default account soon after, from a controller: so often it is looked for, this far apart. */
const DEFAULT_ATTEMPTS = 10
const DEFAULT_WAIT_MS = 100

export function serviceAccountAdmission(lookup: Lookup, deps: { clock: Clock; random: Random }): AdmissionPlugin {
  const find = async (namespace: string, name: string, signal: AbortSignal) => {
    for (let attempt = 1; ; attempt++) {
      const found = await lookup.get<ServiceAccount>(SERVICE_ACCOUNTS, namespace, name)
      if (found || name !== 'default' || attempt === DEFAULT_ATTEMPTS) return found
      await sleep(deps.clock, DEFAULT_WAIT_MS, signal)
    }
  }
  return {
    name: 'ServiceAccount',
    handles: ({ operation, kind, subresource }) =>
      operation === 'CREATE' && subresource === '' && kind.group === '' && kind.resource === 'pods',
    async admit({ object, kind, namespace, name, signal }) {
      const pod = object as Pod
      const { spec } = pod
      if (pod.metadata.annotations?.[MIRROR] !== undefined) {
        if (spec.serviceAccountName) throw forbidden(kind, name, 'a mirror pod may not reference service accounts')
        return
      }
      spec.serviceAccountName ||= spec.serviceAccount || 'default'
      spec.serviceAccount = spec.serviceAccountName
      const account = await find(namespace, spec.serviceAccountName, signal)
      if (!account) {
        const who = spec.serviceAccountName
        throw forbidden(kind, name, `error looking up service account ${namespace}/${who}: serviceaccount ${JSON.stringify(who)} not found`)
      }
      if (spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) mountToken(pod, deps.random)
      if (!spec.imagePullSecrets?.length && account.imagePullSecrets?.length) {
        spec.imagePullSecrets = account.imagePullSecrets.map((reference) => ({ ...reference }))
      }
    },
  }
}

function mountToken({ spec }: Pod, random: Random): void {
  const known = spec.volumes?.find(({ name }) => name.startsWith(VOLUME_PREFIX))
  const name = known?.name ?? `${VOLUME_PREFIX}${randomSuffix(random)}`
  let mounted = false
  const mount = (container: Container) => {
    if (container.volumeMounts?.some(({ mountPath }) => mountPath === MOUNT_PATH)) return
    container.volumeMounts = [...(container.volumeMounts ?? []), { name, readOnly: true, mountPath: MOUNT_PATH }]
    mounted = true
  }
  spec.initContainers?.forEach(mount)
  spec.containers.forEach(mount)
  if (mounted && !known) spec.volumes = [...(spec.volumes ?? []), tokenVolume(name)]
}

function tokenVolume(name: string): Volume {
  return {
    name,
    projected: {
      defaultMode: 0o644,
      sources: [
        { serviceAccountToken: { expirationSeconds: TOKEN_SECONDS, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        { downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] } },
      ],
    },
  }
}
