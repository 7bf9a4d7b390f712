/** Nodes and pods for tests of the scheduler, as short as they can be. */
import type { Container, Node, Pod, Taint } from '../../api/core/v1/types.gen.ts'
import type { Draft } from '../../api/meta/v1/object.ts'

export const NAMESPACE = 'test'

export interface NodeOptions {
  readonly cpu?: string
  readonly memory?: string
  readonly pods?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly taints?: readonly Taint[]
  readonly unschedulable?: boolean
  /** Beside the above. */
  readonly allocatable?: Readonly<Record<string, string>>
  readonly images?: readonly { readonly names: string[]; readonly sizeBytes: number }[]
}

export interface PodOptions {
  /** Requests of its only container. */
  readonly requests?: Readonly<Record<string, string>>
  readonly labels?: Readonly<Record<string, string>>
  readonly namespace?: string
  readonly image?: string
  readonly hostPorts?: readonly number[]
  readonly spec?: Partial<Draft<Pod['spec']>>
  readonly container?: Partial<Draft<Container>>
}

/** As a client creates it. Its status has to be written apart. */
export function nodeDraft(name: string, options: NodeOptions = {}): Draft<Node> {
  const { cpu = '4', memory = '8Gi', pods = '110', labels = {}, taints, unschedulable, allocatable, images } = options
  const capacity = { cpu, memory, pods, ...allocatable }
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels } },
    spec: { ...(taints ? { taints: [...taints] } : {}), ...(unschedulable ? { unschedulable } : {}) },
    status: { capacity, allocatable: capacity, ...(images ? { images: images.map((image) => ({ ...image })) } : {}) },
  }
}

export function podDraft(name: string, options: PodOptions = {}): Draft<Pod> {
  const { requests, labels, namespace = NAMESPACE, image = 'app:1', hostPorts = [], spec, container } = options
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, ...(labels ? { labels: { ...labels } } : {}) },
    spec: {
      containers: [
        {
          name: 'app',
          image,
          ...(requests ? { resources: { requests: { ...requests } } } : {}),
          ...(hostPorts.length ? { ports: hostPorts.map((port) => ({ containerPort: port, hostPort: port })) } : {}),
          ...container,
        },
      ],
      ...spec,
    },
  }
}

/** As informers hand it out: with a uid and the defaults that code relies on. */
export function nodeOf(name: string, options: NodeOptions = {}): Node {
  const draft = nodeDraft(name, options)
  return { ...draft, metadata: { ...draft.metadata, uid: `node-${name}` } } as Node
}

/** The same; `on`: the node that it is on. */
export function podOf(name: string, options: PodOptions & { readonly on?: string } = {}): Pod {
  const { on, ...rest } = options
  const draft = podDraft(name, rest)
  const { spec, metadata } = draft
  const containers = spec?.containers?.map((container) => ({ resources: {}, ...container }))
  return {
    ...draft,
    metadata: { ...metadata, uid: `pod-${metadata?.name}` },
    spec: { schedulerName: 'default-scheduler', ...spec, containers, ...(on ? { nodeName: on } : {}) },
    status: { phase: 'Pending' },
  } as unknown as Pod
}
