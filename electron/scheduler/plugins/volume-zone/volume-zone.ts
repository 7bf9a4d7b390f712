import { stateKey } from '../../framework/cycle-state.ts'
import { definePlugin } from '../../framework/descriptor.ts'
import { ACTION } from '../../framework/events.ts'
import type { AnyPlugin } from '../../framework/plugin.ts'
import { SKIP, unresolvable } from '../../framework/status.ts'
import { claimsOf } from '../../matching/pod-volumes.ts'
import { movedVolume, ownClaim, waitingClass } from '../../matching/volume-hints.ts'

interface Place {
  readonly claim: string
  readonly volume: string
  readonly label: string
  /** A volume may be in several, which its label joins with "__". */
  readonly values: readonly string[]
}

const name = 'VolumeZone'
const key = stateKey<readonly Place[]>(name)
const CONFLICT = ['node(s) had no available volume zone']
const SEPARATOR = '__'
/** The label, and what it was called before. */
const LABELS: readonly (readonly [string, string])[] = [
  ['topology.kubernetes.io/zone', 'failure-domain.beta.kubernetes.io/zone'],
  ['topology.kubernetes.io/region', 'failure-domain.beta.kubernetes.io/region'],
]

/** Keeps a pod in the zones and regions that its bound volumes are labelled with. Nodes that have no such labels are not asked for them. */
export const volumeZone = definePlugin({
  name,
  defaults: {},
  create: (): AnyPlugin => ({
    name,
    events: [
      { event: { resource: 'StorageClass', action: ACTION.add }, hint: waitingClass },
      { event: { resource: 'Node', action: ACTION.add | ACTION.updateNodeLabel } },
      { event: { resource: 'PersistentVolumeClaim', action: ACTION.add | ACTION.updateOther }, hint: ownClaim },
      { event: { resource: 'PersistentVolume', action: ACTION.add | ACTION.updateOther }, hint: movedVolume(LABELS.flat()) },
    ],
    preFilter({ state, snapshot }, { pod }) {
      const places = claimsOf(pod, snapshot.objects).flatMap(({ metadata, spec }) => {
        const volume = spec.volumeName ? snapshot.objects.persistentVolume(spec.volumeName) : undefined
        return Object.entries(volume?.metadata.labels ?? {}).flatMap(([label, value]): Place[] =>
          LABELS.flat().includes(label)
            ? [{ claim: metadata.name, volume: spec.volumeName ?? '', label, values: value.split(SEPARATOR) }]
            : [],
        )
      })
      if (places.length === 0) return SKIP
      state.write(key, places)
      return null
    },
    filter({ state }, _pod, { labels }) {
      if (!LABELS.flat().some((label) => label in labels)) return null
      const away = state.read(key).find(({ label, values }) => !values.includes(labelled(labels, label) ?? ''))
      return away ? unresolvable(name, CONFLICT, [{ type: 'volume', claim: away.claim, volume: away.volume }]) : null
    },
  }),
})

/** By either name of the label. */
function labelled(labels: Readonly<Record<string, string>>, label: string): string | undefined {
  const names = LABELS.find((pair) => pair.includes(label)) ?? []
  return labels[label] ?? names.map((other) => labels[other]).find((value) => value !== undefined)
}
