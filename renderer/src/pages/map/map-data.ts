/** What the map and its list show, kept true: a snapshot a few times a second, so that a rollout does not lay out each frame. */
import { computed, onScopeDispose, shallowRef, watch, type ComputedRef, type Ref } from 'vue'
import type { Pod } from '../../../../electron/api/core/v1/types.gen.ts'
import type { KubeObject } from '../../../../electron/api/meta/v1/object.ts'
import { t, tn } from '../../i18n/index.ts'
import { count } from '../../i18n/numbers.ts'
import {
  CLAIMS,
  CONFIG_MAPS,
  CRON_JOBS,
  DAEMON_SETS,
  DEPLOYMENTS,
  INGRESSES,
  JOBS,
  NODES,
  PODS,
  REPLICA_SETS,
  SECRETS,
  SERVICES,
  STATEFUL_SETS,
} from '../../kube/resources.ts'
import { TONE_RANK, type Tone } from '../../kube/tone.ts'
import { after } from '../../time/clock.ts'
import { buildGraph, connected, type GraphOptions, type MapGraph, type MapNode } from './graph.ts'
import { layoutGraph, type Layout } from './layout.ts'
import { useLiveMany, type LiveMany } from './live-many.ts'
import { objectStatus, type ObjectStatus } from './object-status.ts'

const ALWAYS = [PODS, DEPLOYMENTS, REPLICA_SETS, STATEFUL_SETS, DAEMON_SETS, JOBS, CRON_JOBS, SERVICES, INGRESSES]
const CONFIG = [CONFIG_MAPS, SECRETS, CLAIMS]
/** Milliseconds in which changes are gathered. */
const GATHER = 250
/** More tiles than that nobody can tell apart. */
export const MOST_TILES = 1500

export interface MapQuery extends GraphOptions {
  /** "" for all. */
  readonly namespace: string
  /** The node whose surroundings alone are wanted; "" for none. */
  readonly focus: string
  /** False while it is not known whether there is too much to follow. */
  readonly ready: boolean
}

export interface MapData {
  readonly live: LiveMany
  readonly graph: ComputedRef<MapGraph>
  /** Whether everything that has come is drawn. */
  readonly caughtUp: ComputedRef<boolean>
  readonly layout: ComputedRef<Layout>
  /** How many tiles are not drawn. */
  readonly hidden: ComputedRef<number>
}

export function useMapData(query: () => MapQuery): MapData {
  const live = useLiveMany(() => {
    const { namespace, config, machines, ready } = query()
    if (!ready) return []
    const kinds = [...ALWAYS, ...(config ? CONFIG : [])].map((resource) => ({ resource, namespace: namespace || undefined }))
    return [...kinds, ...(machines ? [{ resource: NODES }] : [])]
  })
  const snapshot = gathered(live.all)
  const whole = computed(() => {
    const graph = buildGraph(snapshot.value, query())
    return query().focus && graph.nodes.has(query().focus) ? connected(graph, query().focus) : graph
  })
  const hidden = computed(() => Math.max(0, whole.value.nodes.size - MOST_TILES))
  const graph = computed((): MapGraph => {
    if (!hidden.value) return whole.value
    const nodes = new Map([...whole.value.nodes].slice(0, MOST_TILES))
    return { nodes, edges: whole.value.edges.filter(({ from, to }) => nodes.has(from) && nodes.has(to)) }
  })
  let last: { readonly key: string; readonly layout: Layout } | null = null
  const layout = computed(() => {
    const { nodes, edges } = graph.value
    const key = `${[...nodes.keys()].join(' ')}|${edges.map(({ from, to }) => `${from}>${to}`).join(' ')}`
    if (last?.key !== key) last = { key, layout: layoutGraph(graph.value, last?.layout.parts) }
    return last.layout
  })
  return { live, graph, caughtUp: computed(() => snapshot.value === live.all.value), layout, hidden }
}

function gathered(source: Ref<readonly KubeObject[]>): Readonly<Ref<readonly KubeObject[]>> {
  const shown = shallowRef(source.value)
  let waiting: Disposable | null = null
  watch(source, () => {
    waiting ??= after(GATHER, () => {
      waiting = null
      shown.value = source.value
    })
  })
  onScopeDispose(() => waiting?.[Symbol.dispose]())
  return shown
}

export interface NodeView extends ObjectStatus {
  readonly title: string
  readonly sub: string
  /** Of a tile of pods: how many do how well, worst first. */
  readonly counts: readonly { readonly tone: Tone; readonly n: number }[]
}

/** `now` in milliseconds since the epoch. */
export function nodeView(node: MapNode, now: number): NodeView {
  if (!node.pods) {
    const status = node.object ? objectStatus(node.object, now) : ({ tone: 'idle', word: '' } as const)
    return { title: node.name, sub: node.kind, counts: [], ...status }
  }
  const tones = new Map<Tone, number>()
  let worst: ObjectStatus | null = null
  for (const pod of node.pods) {
    const view = objectStatus(pod, now)
    tones.set(view.tone, (tones.get(view.tone) ?? 0) + 1)
    if (!worst || TONE_RANK[view.tone] < TONE_RANK[worst.tone]) worst = view
  }
  const ready = node.pods.filter(isReady).length
  const counts = [...tones].map(([tone, n]) => ({ tone, n })).toSorted((a, b) => TONE_RANK[a.tone] - TONE_RANK[b.tone])
  return {
    title: tn('map.pods', node.pods.length),
    sub: t('map.podsReady', { n: count(ready) }),
    counts,
    tone: worst?.tone ?? 'idle',
    word: worst?.word ?? '',
  }
}

const isReady = ({ status }: Pod) => status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true

/** True for the tiles that the words look for; "app=web" looks at labels. */
export function finder(text: string): ((node: MapNode) => boolean) | null {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  if (!words.length) return null
  const fits = (object: KubeObject | null, name: string, kind: string, word: string) => {
    const [key, value] = word.split('=')
    if (value === undefined) return name.toLowerCase().includes(word) || kind.toLowerCase().startsWith(word)
    return Object.entries(object?.metadata.labels ?? {}).some(([k, v]) => k.toLowerCase() === key && v.toLowerCase().startsWith(value))
  }
  return ({ object, pods, name, kind }) =>
    words.every((word) => (pods ?? [object]).some((each) => fits(each, pods ? (each?.metadata.name ?? '') : name, kind, word)))
}
