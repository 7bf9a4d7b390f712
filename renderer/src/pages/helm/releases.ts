/** Releases as Helm's Secrets tell of them. Each revision is unpacked once, when somebody looks at it. */
import { computed, shallowRef, watch, type ComputedRef } from 'vue'
import { decodeRelease, RELEASE_SELECTOR, type HelmRelease, type HelmStatus } from '../../../../electron/api/helm/release.ts'
import type { Secret } from '../../../../electron/api/core/v1/types.gen.ts'
import type { Tone } from '../../kube/tone.ts'
import { SECRETS } from '../../kube/resources.ts'
import { useLive, type Live } from '../../stores/live.ts'

export interface Revision {
  readonly uid: string
  readonly namespace: string
  readonly name: string
  readonly revision: number
  readonly status: HelmStatus
  readonly at: string
  /** Null until it is unpacked, and where that is not possible. */
  readonly release: HelmRelease | null
  readonly unreadable: boolean
}

const TONES: Readonly<Record<HelmStatus, Tone>> = {
  deployed: 'ok',
  failed: 'err',
  'pending-install': 'busy',
  'pending-upgrade': 'busy',
  'pending-rollback': 'busy',
  uninstalling: 'busy',
  superseded: 'idle',
  uninstalled: 'idle',
  unknown: 'warn',
}
export const statusTone = (status: HelmStatus): Tone => TONES[status]
export const isPending = (status: HelmStatus): boolean => status.startsWith('pending-')

const statusOf = (text: string | undefined): HelmStatus => (text !== undefined && text in TONES ? (text as HelmStatus) : 'unknown')

/** `modifiedAt` in seconds since the epoch, as Helm labels its Secrets. */
function changedAt({ metadata }: Secret): string {
  const seconds = Number(metadata.labels?.['modifiedAt'])
  return seconds > 0 ? new Date(seconds * 1000).toISOString() : metadata.creationTimestamp
}

export interface Releases {
  readonly live: Live<Secret>
  /** Newest first within a release. */
  readonly revisions: ComputedRef<readonly Revision[]>
}

/** `wanted`: which of the revisions to unpack, each group newest first. */
export function useRevisions(
  at: () => { namespace?: string | undefined; name?: string },
  wanted: (group: readonly Secret[]) => readonly Secret[],
): Releases {
  const live = useLive<Secret>(SECRETS, () => {
    const { namespace, name } = at()
    return { namespace, labelSelector: name ? `${RELEASE_SELECTOR},name=${name}` : RELEASE_SELECTOR }
  })
  const unpacked = shallowRef<ReadonlyMap<string, HelmRelease | null>>(new Map())
  const versionOf = ({ metadata }: Secret) => `${metadata.uid}@${metadata.resourceVersion}`
  const revisionOf = ({ metadata }: Secret) => Number(metadata.labels?.['version'] ?? 0)
  const groups = computed(() => {
    const byName = new Map<string, Secret[]>()
    for (const secret of live.items.value) {
      const key = `${secret.metadata.namespace}/${secret.metadata.labels?.['name']}`
      const group = byName.get(key)
      if (group) group.push(secret)
      else byName.set(key, [secret])
    }
    return [...byName.values()].map((group) => group.toSorted((a, b) => revisionOf(b) - revisionOf(a)))
  })
  const needed = computed(() => groups.value.flatMap((group) => wanted(group)))
  watch(
    needed,
    async (secrets) => {
      const missing = secrets.filter((secret) => !unpacked.value.has(versionOf(secret)))
      if (!missing.length) return
      const read = await Promise.all(
        missing.map(async (secret) => [versionOf(secret), await decodeRelease(secret.data?.['release'] ?? '').catch(() => null)] as const),
      )
      const there = new Set(live.items.value.map(versionOf))
      unpacked.value = new Map([...[...unpacked.value].filter(([version]) => there.has(version)), ...read])
    },
    { immediate: true },
  )
  const revisions = computed(() =>
    groups.value.flat().map((secret): Revision => {
      const { metadata } = secret
      const release = unpacked.value.get(versionOf(secret))
      return {
        uid: metadata.uid,
        namespace: metadata.namespace ?? '',
        name: metadata.labels?.['name'] ?? metadata.name,
        revision: revisionOf(secret),
        status: statusOf(metadata.labels?.['status']),
        at: changedAt(secret),
        release: release ?? null,
        unreadable: release === null,
      }
    }),
  )
  return { live, revisions }
}

/** The newest revision of each release. */
export function newestOf(revisions: readonly Revision[]): Revision[] {
  const newest = new Map<string, Revision>()
  for (const each of revisions) {
    const key = `${each.namespace}/${each.name}`
    if ((newest.get(key)?.revision ?? 0) < each.revision) newest.set(key, each)
  }
  return [...newest.values()]
}
