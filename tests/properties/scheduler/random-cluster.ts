/** Small clusters with a little of everything. */
import type { ReplicaSet } from '../../../electron/api/apps/v1/types.gen.ts'
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod, Service } from '../../../electron/api/core/v1/types.gen.ts'
import type { PodDisruptionBudget } from '../../../electron/api/policy/v1/types.gen.ts'
import type { Dice } from './dice.ts'
import { GPU, IMAGES, KEYS, NAMESPACES, podFrom, randomTemplate, TAINTS, type Template, varied } from './random-pods.ts'
import { feasible } from './reference/filters.ts'
import type { Cluster } from './reference/cluster.ts'

/** A cluster that changes. */
export interface World extends Cluster {
  nodes: Node[]
  pods: Pod[]
  readonly templates: readonly Template[]
  /** Pods that wait for the node that they were promised, by its name. */
  readonly promised: Map<string, Pod[]>
}

const CLAIMS = ['near', 'exclusive', 'zonal']
const START = Date.parse('2026-01-01T00:00:00Z')

export function randomWorld(dice: Dice): World {
  const names = Object.keys(NAMESPACES)
  const claims = names.flatMap((namespace) => CLAIMS.map((name) => claimOf(namespace, name)))
  const world: World = {
    nodes: dice.some(1, 9, (i) => randomNode(dice, `n${i}`)),
    pods: [],
    namespaces: NAMESPACES,
    services: names.filter(() => dice.chance(0.3)).map((namespace) => serviceOf(namespace)),
    replicaSets: names.filter(() => dice.chance(0.5)).map((namespace) => replicaSetOf(namespace)),
    budgets: names.filter(() => dice.chance(0.4)).map((namespace) => budgetOf(dice, namespace)),
    claims,
    volumes: claims.map((claim) => volumeOf(claim)),
    templates: randomTemplates(dice),
    promised: new Map(),
  }
  const others = dice.some(1, 5, () => randomTemplate(dice, []))
  const count = dice.below(25)
  for (let i = 0; i < count; i++) {
    const node = dice.of(world.nodes)
    const pod = podFrom(dice.of(others), `old-${i}`)
    // Most stand where they may stand; the world may have changed since, though.
    if (dice.chance(0.8) && !feasible(world, pod, node)) continue
    if (dice.chance(0.05)) pod.metadata.deletionTimestamp = new Date(START).toISOString()
    if (dice.chance(0.8)) pod.status.startTime = new Date(START + dice.below(4) * 60_000).toISOString()
    world.pods.push({ ...pod, spec: { ...pod.spec, nodeName: node.metadata.name } })
  }
  return world
}

function randomTemplates(dice: Dice): Template[] {
  const templates = dice.some(2, 3, () => randomTemplate(dice, CLAIMS))
  const kin = dice.some(1, 2, () => varied(dice, dice.of(templates), randomTemplate(dice, [])))
  return [...templates, ...kin]
}

export function randomNode(dice: Dice, name: string): Node {
  const allocatable = {
    ...{ cpu: dice.of(['2', '4', '8']), memory: dice.of(['2Gi', '8Gi', '16Gi']), pods: dice.of(['3', '6', '110']) },
    ...(dice.chance(0.3) ? { [GPU]: '2' } : {}),
    ...(dice.chance(0.8) ? { 'ephemeral-storage': '10Gi' } : {}),
  }
  const labels = {
    [KEYS.host]: name,
    ...(dice.chance(0.85) ? { [KEYS.zone]: dice.of(['a', 'b', 'c']) } : {}),
    ...(dice.chance(0.5) ? { [KEYS.rack]: dice.of(['1', '2']) } : {}),
    ...(dice.chance(0.5) ? { [KEYS.cpus]: allocatable.cpu } : {}),
  }
  const taints = dice.subset(TAINTS, 0.12).map((key) => ({
    key,
    ...(dice.chance(0.5) ? { value: 'yes' } : {}),
    effect: dice.of(['NoSchedule', 'NoExecute', 'PreferNoSchedule', 'PreferNoSchedule'] as const),
  }))
  const images = dice.subset(IMAGES, 0.4).map(({ name: image, sizeBytes }) => ({ names: [image], sizeBytes }))
  const node = {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, uid: `uid-${name}`, labels },
    spec: { ...(taints.length ? { taints } : {}), ...(dice.chance(0.1) ? { unschedulable: true } : {}) },
    status: { allocatable, ...(images.length ? { images } : {}) },
  }
  return node as unknown as Node
}

function serviceOf(namespace: string): Service {
  return { metadata: { name: 'web', namespace }, spec: { selector: { app: 'web' } } } as unknown as Service
}

function replicaSetOf(namespace: string): ReplicaSet {
  return {
    metadata: { name: 'set', namespace },
    spec: { selector: { matchExpressions: [{ key: 'app', operator: 'Exists' }] } },
  } as unknown as ReplicaSet
}

function budgetOf(dice: Dice, namespace: string): PodDisruptionBudget {
  return {
    metadata: { name: 'budget', namespace, uid: `budget-${namespace}`, resourceVersion: '1' },
    spec: { selector: { matchLabels: { app: dice.of(['web', 'db']) } } },
    status: { disruptionsAllowed: dice.below(3) },
  } as unknown as PodDisruptionBudget
}

function claimOf(namespace: string, name: string): PersistentVolumeClaim {
  return {
    metadata: { name, namespace, uid: `${namespace}-${name}`, annotations: { 'pv.kubernetes.io/bind-completed': 'yes' } },
    spec: { accessModes: [name === 'exclusive' ? 'ReadWriteOncePod' : 'ReadWriteOnce'], volumeName: `${namespace}-${name}` },
    status: { phase: 'Bound' },
  } as unknown as PersistentVolumeClaim
}

function volumeOf({ metadata }: PersistentVolumeClaim): PersistentVolume {
  const { name, namespace, uid } = metadata
  const expression = { key: KEYS.zone, operator: 'In', values: ['a', 'b'] }
  const required = { nodeSelectorTerms: [{ matchExpressions: [expression] }] }
  return {
    metadata: { name: `${namespace}-${name}`, ...(name === 'zonal' ? { labels: { [KEYS.zone]: 'a__c' } } : {}) },
    spec: { claimRef: { namespace, name, uid }, ...(name === 'near' ? { nodeAffinity: { required } } : {}) },
    status: { phase: 'Bound' },
  } as unknown as PersistentVolume
}
