/** Who leads to, makes, uses and runs on whom: read from the objects alone, so that it can be tested without a page. */
import type { Ingress } from '../../../../electron/api/networking/v1/types.gen.ts'
import type { Pod, PodSpec, Service } from '../../../../electron/api/core/v1/types.gen.ts'
import type { KubeObject } from '../../../../electron/api/meta/v1/object.ts'

export type Relation = 'routes' | 'selects' | 'owns' | 'runs' | 'uses'

export interface MapEdge {
  readonly from: string
  readonly to: string
  readonly relation: Relation
}

/** An object, or the pods of one owner as one tile. */
export interface MapNode {
  /** The same for as long as the object is there, and after a page was left. */
  readonly id: string
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly object: KubeObject | null
  /** Of a tile that stands for several pods. */
  readonly pods?: readonly Pod[]
}

export interface MapGraph {
  readonly nodes: ReadonlyMap<string, MapNode>
  readonly edges: readonly MapEdge[]
}

export interface GraphOptions {
  readonly view: 'flow' | 'owners'
  /** ConfigMaps, Secrets and claims. */
  readonly config: boolean
  readonly machines: boolean
  /** Owners whose pods are shown one by one, by id. */
  readonly unfolded: ReadonlySet<string>
}

/** From how many pods of one owner on they are one tile. */
const FOLDED_FROM = 2
/** Is in every namespace and says nothing. */
const EVERYWHERE = 'kube-root-ca.crt'

export const idOf = (kind: string, namespace: string | undefined, name: string): string => `${kind}/${namespace ?? ''}/${name}`
const idOfObject = ({ kind, metadata }: KubeObject): string => idOf(kind, metadata.namespace, metadata.name)
const controllerOf = ({ metadata }: KubeObject) => metadata.ownerReferences?.find(({ controller }) => controller)

export function buildGraph(objects: readonly KubeObject[], options: GraphOptions): MapGraph {
  const byId = new Map(objects.map((object) => [idOfObject(object), object]))
  const nodes = new Map<string, MapNode>()
  const edges = new Map<string, MapEdge>()
  const add = (object: KubeObject): string => {
    const id = idOfObject(object)
    const { namespace = '', name } = object.metadata
    if (!nodes.has(id)) nodes.set(id, { id, kind: object.kind, namespace, name, object })
    return id
  }
  const link = (from: string, to: string, relation: Relation) => edges.set(`${from} ${to}`, { from, to, relation })
  const ownerOf = (object: KubeObject): KubeObject | undefined => {
    const owner = controllerOf(object)
    return owner && byId.get(idOf(owner.kind, object.metadata.namespace, owner.name))
  }
  /** The one that a person made: the Deployment rather than its ReplicaSet. */
  const topOf = (object: KubeObject): KubeObject => {
    let top = object
    for (let owner = ownerOf(top), depth = 0; owner && depth < 8; owner = ownerOf(top), depth++) top = owner
    return top
  }
  const parentOf = (pod: Pod): KubeObject | undefined => {
    const owner = options.view === 'owners' ? ownerOf(pod) : topOf(pod)
    return owner === pod ? undefined : owner
  }

  const pods = objects.filter((object): object is Pod => object.kind === 'Pod')
  const groups = new Map<string, Pod[]>()
  for (const pod of pods) {
    const parent = parentOf(pod)
    const key = parent ? idOfObject(parent) : idOfObject(pod)
    groups.set(key, [...(groups.get(key) ?? []), pod])
  }
  /** The tile of a pod, once its group is drawn. */
  const tileOf = new Map<Pod, string>()
  for (const [key, group] of groups) {
    const parent = group[0] && parentOf(group[0])
    if (parent) add(parent)
    const folded = parent && group.length >= FOLDED_FROM && !options.unfolded.has(`pods:${key}`)
    if (folded) {
      const { namespace = '', name } = parent.metadata
      const id = `pods:${key}`
      nodes.set(id, { id, kind: 'Pod', namespace, name, object: null, pods: group })
      link(key, id, 'owns')
      for (const pod of group) tileOf.set(pod, id)
    } else
      for (const pod of group) {
        const id = add(pod)
        tileOf.set(pod, id)
        if (parent) link(key, id, 'owns')
      }
  }

  if (options.view === 'owners') {
    for (const object of objects) {
      const owner = object.kind === 'Pod' ? undefined : ownerOf(object)
      if (owner) link(add(owner), add(object), 'owns')
    }
  } else {
    // What has no pods now is there all the same.
    for (const object of objects) if (isWorkload(object) && topOf(object) === object) add(object)
    const selectable = indexPods(pods)
    for (const object of objects) {
      if (object.kind === 'Service')
        linkService(object as Service, selectable, {
          add,
          link,
          tileOf,
          targetOf: (pod) => (parentOf(pod) ? idOfObject(parentOf(pod) as KubeObject) : null),
        })
      else if (object.kind === 'Ingress') linkIngress(object as Ingress, byId, add, link)
    }
  }
  if (options.config) {
    for (const [key, group] of groups) {
      const [pod] = group
      if (!pod || !nodes.has(key)) continue
      for (const { kind, name } of usedBy(pod.spec)) {
        const used = byId.get(idOf(kind, pod.metadata.namespace, name))
        if (used) link(key, add(used), 'uses')
      }
    }
  }
  if (options.machines) {
    for (const [pod, tile] of tileOf) {
      const machine = pod.spec.nodeName && byId.get(idOf('Node', undefined, pod.spec.nodeName))
      if (machine) link(tile, add(machine), 'runs')
    }
  }
  return { nodes, edges: [...edges.values()] }
}

const WORKLOADS = new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'CronJob', 'Job', 'ReplicaSet'])
const isWorkload = ({ kind }: KubeObject) => WORKLOADS.has(kind)

interface Drawing {
  readonly add: (object: KubeObject) => string
  readonly link: (from: string, to: string, relation: Relation) => void
  readonly tileOf: ReadonlyMap<Pod, string>
  /** The workload that stands for a pod; null for one that stands for itself. */
  readonly targetOf: (pod: Pod) => string | null
}

/** Pods by namespace and each of their labels, so that a selector looks at few. */
function indexPods(pods: readonly Pod[]): ReadonlyMap<string, readonly Pod[]> {
  const index = new Map<string, Pod[]>()
  for (const pod of pods)
    for (const [key, value] of Object.entries(pod.metadata.labels ?? {})) {
      const at = `${pod.metadata.namespace} ${key}=${value}`
      const held = index.get(at)
      if (held) held.push(pod)
      else index.set(at, [pod])
    }
  return index
}

function linkService(service: Service, index: ReadonlyMap<string, readonly Pod[]>, { add, link, tileOf, targetOf }: Drawing): void {
  const id = add(service)
  const [first, ...rest] = Object.entries(service.spec.selector ?? {})
  if (!first) return
  const candidates = index.get(`${service.metadata.namespace} ${first[0]}=${first[1]}`) ?? []
  for (const pod of candidates) {
    if (!rest.every(([key, value]) => pod.metadata.labels?.[key] === value)) continue
    link(id, targetOf(pod) ?? tileOf.get(pod) ?? '', 'selects')
  }
}

function linkIngress(
  ingress: Ingress,
  byId: ReadonlyMap<string, KubeObject>,
  add: (object: KubeObject) => string,
  link: (from: string, to: string, relation: Relation) => void,
): void {
  const id = add(ingress)
  const { defaultBackend, rules = [], tls = [] } = ingress.spec ?? {}
  const names = [defaultBackend, ...rules.flatMap(({ http }) => http?.paths.map(({ backend }) => backend) ?? [])].map(
    (each) => each?.service?.name,
  )
  for (const name of names) {
    const service = name && byId.get(idOf('Service', ingress.metadata.namespace, name))
    if (service) link(id, add(service), 'routes')
  }
  for (const { secretName } of tls) {
    const secret = secretName && byId.get(idOf('Secret', ingress.metadata.namespace, secretName))
    if (secret) link(id, add(secret), 'uses')
  }
}

interface Used {
  readonly kind: 'ConfigMap' | 'Secret' | 'PersistentVolumeClaim'
  readonly name: string
}

/** What a pod reads of its namespace: volumes, variables, credentials of registries. */
export function usedBy(spec: PodSpec): Used[] {
  const found = new Map<string, Used>()
  const note = (kind: Used['kind'], name: string | undefined) => {
    if (name && name !== EVERYWHERE) found.set(`${kind}/${name}`, { kind, name })
  }
  for (const { configMap, secret, persistentVolumeClaim, projected } of spec.volumes ?? []) {
    note('ConfigMap', configMap?.name)
    note('Secret', secret?.secretName)
    note('PersistentVolumeClaim', persistentVolumeClaim?.claimName)
    for (const source of projected?.sources ?? []) {
      note('ConfigMap', source.configMap?.name)
      note('Secret', source.secret?.name)
    }
  }
  for (const { env = [], envFrom = [] } of [...spec.containers, ...(spec.initContainers ?? [])]) {
    for (const { configMapRef, secretRef } of envFrom) {
      note('ConfigMap', configMapRef?.name)
      note('Secret', secretRef?.name)
    }
    for (const { valueFrom } of env) {
      note('ConfigMap', valueFrom?.configMapKeyRef?.name)
      note('Secret', valueFrom?.secretKeyRef?.name)
    }
  }
  for (const { name } of spec.imagePullSecrets ?? []) note('Secret', name)
  return [...found.values()]
}

/** All that leads to a node and all that it leads to; machines and what is used end the way, since many share them. */
export function connected({ nodes, edges }: MapGraph, id: string): MapGraph {
  const ahead = new Map<string, MapEdge[]>()
  const behind = new Map<string, MapEdge[]>()
  for (const edge of edges) {
    ahead.set(edge.from, [...(ahead.get(edge.from) ?? []), edge])
    behind.set(edge.to, [...(behind.get(edge.to) ?? []), edge])
  }
  const kept = new Set([id])
  const walk = (index: ReadonlyMap<string, readonly MapEdge[]>, end: (edge: MapEdge) => string) => {
    const queue = [id]
    for (let at = queue.pop(); at !== undefined; at = queue.pop())
      for (const edge of index.get(at) ?? []) {
        const next = end(edge)
        if (kept.has(next)) continue
        kept.add(next)
        queue.push(next)
      }
  }
  walk(ahead, ({ to }) => to)
  walk(behind, ({ from }) => from)
  return {
    nodes: new Map([...nodes].filter(([each]) => kept.has(each))),
    edges: edges.filter(({ from, to }) => kept.has(from) && kept.has(to)),
  }
}
