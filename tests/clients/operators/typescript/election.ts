/** Leader election through a Lease, with client-go's rules: a holder is given up only when its Lease did not change for as long as it lasts. */
import { ApiException, CoordinationV1Api, V1MicroTime, type KubeConfig, type V1Lease } from '@kubernetes/client-node'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Settings } from './site.ts'

/** Resolves when this process leads; from then on the Lease is renewed, and `onLost` is called when that failed for too long. */
export async function becomeLeader(config: KubeConfig, settings: Settings, onLost: () => void): Promise<void> {
  const api = config.makeApiClient(CoordinationV1Api)
  const { namespace, identity, leaseSeconds } = settings
  const name = settings.group
  const retry = (leaseSeconds * 1000) / 5
  let seen = { version: '', at: 0 }

  const attempt = async (): Promise<boolean> => {
    const now = new V1MicroTime()
    const spec = { holderIdentity: identity, leaseDurationSeconds: leaseSeconds, renewTime: now }
    let lease: V1Lease
    try {
      lease = await api.readNamespacedLease({ namespace, name })
    } catch (error) {
      if (!(error instanceof ApiException) || error.code !== 404) throw error
      await api.createNamespacedLease({ namespace, body: { metadata: { name }, spec: { ...spec, acquireTime: now, leaseTransitions: 0 } } })
      return true
    }
    const version = lease.metadata?.resourceVersion ?? ''
    if (version !== seen.version) seen = { version, at: performance.now() }
    const isOwn = lease.spec?.holderIdentity === identity
    const isOver = performance.now() - seen.at > (lease.spec?.leaseDurationSeconds ?? leaseSeconds) * 1000
    if (!isOwn && lease.spec?.holderIdentity && !isOver) return false
    const taken = isOwn ? {} : { acquireTime: now, leaseTransitions: (lease.spec?.leaseTransitions ?? 0) + 1 }
    lease.spec = Object.assign(lease.spec ?? {}, spec, taken)
    await api.replaceNamespacedLease({ namespace, name, body: lease })
    return true
  }
  const tryOnce = () => attempt().catch(() => false)

  while (!(await tryOnce())) await sleep(retry)
  void (async () => {
    let renewed = performance.now()
    while (performance.now() - renewed < leaseSeconds * 1000) {
      await sleep(retry)
      if (await tryOnce()) renewed = performance.now()
    }
    onLost()
  })()
}
