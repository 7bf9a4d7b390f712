/** Pods that ask for a little of everything, from few values, so that they meet. As a client writes them, with defaults filled in. */
import type {
  Affinity,
  Container,
  NodeSelectorTerm,
  Pod,
  PodAffinityTerm,
  Toleration,
  TopologySpreadConstraint,
} from '../../../electron/api/core/v1/types.gen.ts'
import type { LabelSelector } from '../../../electron/api/meta/v1/types.gen.ts'
import type { Dice } from './dice.ts'

export const KEYS = {
  host: 'kubernetes.io/hostname',
  zone: 'topology.kubernetes.io/zone',
  rack: 'example.com/rack',
  cpus: 'example.com/cpus',
}
export const NAMESPACES = { red: { team: 'a' }, green: { team: 'a', env: 'test' }, blue: {} }
export const IMAGES = [
  { name: 'small:latest', sizeBytes: 30 * 2 ** 20 },
  { name: 'large:1', sizeBytes: 700 * 2 ** 20 },
  { name: 'huge:1', sizeBytes: 3000 * 2 ** 20 },
]
export const GPU = 'example.com/gpu'
export const TAINTS = ['dedicated', 'flaky', 'slow']
const APPS = ['web', 'db', 'cache']
const TOPOLOGIES = [KEYS.host, KEYS.zone, KEYS.zone, KEYS.rack]

/** A kind of pod; of one kind there may be many. */
export type Template = Pick<Pod, 'spec'> & { readonly namespace: string; readonly labels: Record<string, string>; readonly owner?: string }

export function randomTemplate(dice: Dice, claims: readonly string[]): Template {
  const affinity = randomAffinity(dice)
  const spread = dice.chance(0.35) ? dice.some(1, 2, () => randomSpread(dice)) : []
  const keys = new Set<string>()
  const topologySpreadConstraints = spread.filter(({ topologyKey, whenUnsatisfiable }) => {
    const key = `${topologyKey} ${whenUnsatisfiable}`
    return keys.has(key) ? false : keys.add(key)
  })
  const initContainers = dice.chance(0.2)
    ? dice.some(1, 2, () => randomContainer(dice, dice.chance(0.5) ? { restartPolicy: 'Always' } : {}))
    : []
  const claim = claims.length > 0 && dice.chance(0.15) ? dice.of(claims) : null
  const spec = {
    schedulerName: 'default-scheduler',
    containers: dice.some(1, 2, () => randomContainer(dice)),
    ...(initContainers.length ? { initContainers } : {}),
    ...(dice.chance(0.1) ? { overhead: { cpu: '150m', memory: '64Mi' } } : {}),
    ...(dice.chance(0.1) ? { resources: { requests: dice.of([{ cpu: '700m' }, { memory: '600Mi' }, { cpu: '1', memory: '1Gi' }]) } } : {}),
    ...(dice.chance(0.5) ? { priority: dice.of([-10, 0, 10, 100, 2_000_000_000]) } : {}),
    ...(dice.chance(0.5) ? { tolerations: dice.some(1, 2, () => randomToleration(dice)) } : {}),
    ...(dice.chance(0.1) ? { nodeSelector: { [KEYS.zone]: dice.of(['a', 'b']) } } : {}),
    ...(Object.keys(affinity).length ? { affinity } : {}),
    ...(topologySpreadConstraints.length ? { topologySpreadConstraints } : {}),
    ...(claim ? { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: claim } }] } : {}),
  }
  return {
    namespace: dice.of(Object.keys(NAMESPACES)),
    labels: { ...(dice.chance(0.9) ? { app: dice.of(APPS) } : {}), ...(dice.chance(0.4) ? { tier: dice.of(['x', 'y']) } : {}) },
    ...(dice.chance(0.3) ? { owner: 'set' } : {}),
    spec: spec as unknown as Pod['spec'],
  }
}

/** The same kind but for one thing, or two. */
export function varied(dice: Dice, { spec, ...template }: Template, other: Template): Template {
  const parts = ['affinity', 'affinity', 'affinity', 'tolerations', 'priority', 'containers', 'initContainers', 'resources'] as const
  const changed = dice.some(1, 2, () => dice.of(parts))
  return { ...template, spec: { ...spec, ...Object.fromEntries(changed.map((part) => [part, other.spec[part]])) } }
}

export function podFrom({ namespace, labels, owner, spec }: Template, name: string, on?: string): Pod {
  const ownerReferences = owner ? [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: owner, uid: owner, controller: true }] : null
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, uid: `uid-${name}`, labels, ...(ownerReferences ? { ownerReferences } : {}) },
    spec: { ...spec, ...(on ? { nodeName: on } : {}) },
    status: { phase: on ? 'Running' : 'Pending' },
  }
  return structuredClone(pod) as unknown as Pod
}

function randomContainer(dice: Dice, more: object = {}): Container {
  const requests: Record<string, string> = {}
  if (dice.chance(0.7)) requests['cpu'] = dice.of(['100m', '250m', '1', '2', '3'])
  if (dice.chance(0.6)) requests['memory'] = dice.of(['64Mi', '500Mi', '1Gi', '3Gi'])
  if (dice.chance(0.1)) requests[GPU] = dice.of(['1', '2'])
  if (dice.chance(0.1)) requests['ephemeral-storage'] = dice.of(['1Gi', '6Gi'])
  const port = { containerPort: 80, hostPort: dice.of([80, 81]), protocol: dice.of(['TCP', 'UDP']) }
  const ports = dice.chance(0.15) ? [{ ...port, ...(dice.chance(0.4) ? { hostIP: dice.of(['10.0.0.1', '10.0.0.2']) } : {}) }] : []
  const container = {
    name: `c${dice.below(1e9)}`,
    image: dice.of(['small', 'large:1', 'huge:1', 'unknown:1']),
    resources: Object.keys(requests).length ? { requests } : {},
    ...(ports.length ? { ports } : {}),
    ...more,
  }
  return container as unknown as Container
}

function randomToleration(dice: Dice): Toleration {
  const toleration = dice.of([
    { operator: 'Exists' as const },
    { key: dice.of(TAINTS), operator: 'Exists' as const },
    { key: dice.of(TAINTS), value: dice.of(['', 'yes']) },
    { key: 'node.kubernetes.io/unschedulable', operator: 'Exists' as const },
  ])
  return dice.chance(0.3) ? { ...toleration, effect: dice.of(['NoSchedule', 'NoExecute', 'PreferNoSchedule'] as const) } : toleration
}

function randomSelector(dice: Dice): LabelSelector {
  const expression = dice.of([
    { key: 'app', operator: 'In' as const, values: dice.some(1, 2, () => dice.of(APPS)) },
    { key: 'app', operator: 'NotIn' as const, values: [dice.of(APPS)] },
    { key: 'tier', operator: 'Exists' as const },
    { key: 'tier', operator: 'DoesNotExist' as const },
  ])
  return dice.of<LabelSelector>([{ matchLabels: { app: dice.of(APPS) } }, { matchExpressions: [expression] }, {}])
}

function randomTerm(dice: Dice): PodAffinityTerm {
  return {
    topologyKey: dice.of(TOPOLOGIES),
    ...(dice.chance(0.95) ? { labelSelector: randomSelector(dice) } : {}),
    ...(dice.chance(0.2) ? { namespaces: dice.subset(Object.keys(NAMESPACES), 0.6) } : {}),
    ...(dice.chance(0.25)
      ? { namespaceSelector: dice.of<LabelSelector>([{}, { matchLabels: { team: 'a' } }, { matchLabels: { env: 'test' } }]) }
      : {}),
    ...(dice.chance(0.15) ? { [dice.of(['matchLabelKeys', 'mismatchLabelKeys'])]: ['tier'] } : {}),
  }
}

function randomNodeTerm(dice: Dice): NodeSelectorTerm {
  const label = dice.of([
    { key: KEYS.zone, operator: 'In' as const, values: dice.subset(['a', 'b', 'c'], 0.6) },
    { key: KEYS.zone, operator: 'NotIn' as const, values: ['a'] },
    { key: KEYS.rack, operator: 'Exists' as const },
    { key: KEYS.rack, operator: 'DoesNotExist' as const },
    { key: KEYS.cpus, operator: dice.of(['Gt', 'Lt'] as const), values: ['3'] },
  ])
  const field = { key: 'metadata.name', operator: dice.of(['In', 'NotIn'] as const), values: [`n${dice.below(4)}`] }
  return dice.of<NodeSelectorTerm>([
    { matchExpressions: [label] },
    { matchExpressions: [label] },
    { matchFields: [field] },
    { matchExpressions: [label], matchFields: [field] },
  ])
}

function randomAffinity(dice: Dice): Affinity {
  const affinity: Affinity = {}
  const weight = () => 1 + dice.below(100)
  if (dice.chance(0.4)) {
    const required = { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: dice.some(1, 2, () => randomNodeTerm(dice)) } }
    const preference = () => ({ preference: randomNodeTerm(dice), weight: weight() })
    const preferred = { preferredDuringSchedulingIgnoredDuringExecution: dice.some(1, 2, preference) }
    affinity.nodeAffinity = { ...(dice.chance(0.6) ? required : {}), ...(dice.chance(0.6) ? preferred : {}) }
  }
  for (const kind of ['podAffinity', 'podAntiAffinity'] as const) {
    if (!dice.chance(0.25)) continue
    const required = { requiredDuringSchedulingIgnoredDuringExecution: dice.some(1, 2, () => randomTerm(dice)) }
    const preference = () => ({ podAffinityTerm: randomTerm(dice), weight: weight() })
    const preferred = { preferredDuringSchedulingIgnoredDuringExecution: dice.some(1, 2, preference) }
    affinity[kind] = { ...(dice.chance(0.5) ? required : {}), ...(dice.chance(0.5) ? preferred : {}) }
  }
  return affinity
}

function randomSpread(dice: Dice): TopologySpreadConstraint {
  const whenUnsatisfiable = dice.of(['DoNotSchedule', 'ScheduleAnyway'] as const)
  const minDomains = whenUnsatisfiable === 'DoNotSchedule' && dice.chance(0.2) ? { minDomains: 1 + dice.below(4) } : {}
  return {
    topologyKey: dice.of(TOPOLOGIES),
    maxSkew: 1 + dice.below(3),
    whenUnsatisfiable,
    labelSelector: randomSelector(dice),
    ...minDomains,
    ...(dice.chance(0.3) ? { nodeAffinityPolicy: dice.of(['Honor', 'Ignore'] as const) } : {}),
    ...(dice.chance(0.3) ? { nodeTaintsPolicy: dice.of(['Honor', 'Ignore'] as const) } : {}),
    ...(dice.chance(0.2) ? { matchLabelKeys: ['tier'] } : {}),
  }
}
