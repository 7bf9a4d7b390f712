/**
 * The form is a view of the manifest: it reads the fields that it knows from the YAML and writes them back into it, and leaves
 * everything else, comments included, as it is. Both follow each other because there is only one of them.
 */
import { isMap, isSeq, parseDocument, type Document } from 'yaml'
import { parseManifest, type Manifest, type ManifestObject } from '../../editor/yaml.ts'

export type Reach = 'none' | 'cluster' | 'node'

export interface EnvRow {
  readonly name: string
  readonly value: string
  /** Where the value comes from, if it is not written here: "Secret reviews-db / url". */
  readonly from?: string
}

export interface FormFields {
  readonly image: string
  readonly name: string
  readonly namespace: string
  readonly replicas: number
  /** "" for none. */
  readonly port: string
  readonly reach: Reach
  readonly eachMachine: boolean
  readonly env: readonly EnvRow[]
  readonly cpuRequest: string
  readonly cpuLimit: string
  readonly memoryRequest: string
  readonly memoryLimit: string
}

const CONTAINER = ['spec', 'template', 'spec', 'containers', 0]

const isWorkload = (object: ManifestObject | null) =>
  object?.apiVersion === 'apps/v1' && (object.kind === 'Deployment' || object.kind === 'DaemonSet')
const isService = (object: ManifestObject | null) => object?.apiVersion === 'v1' && object.kind === 'Service'

interface Found {
  readonly workload: number
  readonly service: number
}

/** Null where the manifest is not what the form is made for: one workload, at most one Service, and nothing that cannot be read. */
function find(manifest: Manifest): Found | null {
  if (manifest.problems.length) return null
  const objects = manifest.documents.map((d) => d.object)
  const workloads = objects.flatMap((object, index) => (isWorkload(object) ? [index] : []))
  const services = objects.flatMap((object, index) => (isService(object) ? [index] : []))
  const [workload] = workloads
  if (workload === undefined || workloads.length > 1 || services.length > 1) return null
  return { workload, service: services[0] ?? -1 }
}

export function readForm(manifest: Manifest): FormFields | null {
  const found = find(manifest)
  const doc = found && manifest.documents[found.workload]?.doc
  if (!found || !doc) return null
  if (!isSeq(doc.getIn(CONTAINER.slice(0, -1))) || !isMap(doc.getIn(CONTAINER))) return null
  const text = (path: (string | number)[]) => {
    const value = doc.getIn(path)
    return scalarText(value)
  }
  const service = manifest.documents[found.service]?.object as { spec?: { type?: string } } | undefined
  return {
    image: text([...CONTAINER, 'image']),
    name: text(['metadata', 'name']),
    namespace: text(['metadata', 'namespace']),
    replicas: Number(text(['spec', 'replicas']) || '1'),
    port: text([...CONTAINER, 'ports', 0, 'containerPort']),
    reach: !service ? 'none' : service.spec?.type === 'NodePort' || service.spec?.type === 'LoadBalancer' ? 'node' : 'cluster',
    eachMachine: doc.get('kind') === 'DaemonSet',
    env: readEnv(doc),
    cpuRequest: text([...CONTAINER, 'resources', 'requests', 'cpu']),
    cpuLimit: text([...CONTAINER, 'resources', 'limits', 'cpu']),
    memoryRequest: text([...CONTAINER, 'resources', 'requests', 'memory']),
    memoryLimit: text([...CONTAINER, 'resources', 'limits', 'memory']),
  }
}

/** A scalar as it is typed into a field; "" for what is none. */
const scalarText = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : ''

interface EnvVar {
  readonly name?: string
  readonly value?: unknown
  readonly valueFrom?: {
    readonly secretKeyRef?: KeyRef
    readonly configMapKeyRef?: KeyRef
    readonly fieldRef?: { readonly fieldPath?: string }
  }
}
interface KeyRef {
  readonly name?: string
  readonly key?: string
}

function readEnv(doc: Document): EnvRow[] {
  const list = doc.getIn([...CONTAINER, 'env'])
  if (!isSeq(list)) return []
  return (list.toJSON() as EnvVar[]).map((each) => {
    const { secretKeyRef, configMapKeyRef, fieldRef } = each.valueFrom ?? {}
    const from = secretKeyRef
      ? `Secret ${secretKeyRef.name ?? ''} / ${secretKeyRef.key ?? ''}`
      : configMapKeyRef
        ? `ConfigMap ${configMapKeyRef.name ?? ''} / ${configMapKeyRef.key ?? ''}`
        : (fieldRef?.fieldPath ?? (each.valueFrom ? '…' : undefined))
    return {
      name: each.name ?? '',
      value: scalarText(each.value),
      ...(from === undefined ? {} : { from }),
    }
  })
}

/** The text with these fields changed. What the form cannot show is returned as it came. */
export function writeForm(text: string, change: Partial<FormFields>): string {
  const manifest = parseManifest(text)
  const found = find(manifest)
  const before = readForm(manifest)
  if (!found || !before) return text
  const docs: Document[] = manifest.documents.map((d) => d.doc)
  const workload = docs[found.workload] as Document
  let service = docs[found.service]

  const set = (doc: Document | undefined, path: (string | number)[], value: unknown) => {
    if (!doc) return
    if (value === '' || value === undefined) prune(doc, path)
    else doc.setIn(path, value)
  }
  if (change.image !== undefined) workload.setIn([...CONTAINER, 'image'], change.image)
  if (change.name !== undefined) rename(workload, service, before.name, change.name)
  if (change.namespace !== undefined) for (const doc of [workload, service]) set(doc, ['metadata', 'namespace'], change.namespace)
  if (change.replicas !== undefined) workload.setIn(['spec', 'replicas'], change.replicas)
  if (change.eachMachine !== undefined) {
    workload.set('kind', change.eachMachine ? 'DaemonSet' : 'Deployment')
    if (change.eachMachine)
      for (const field of ['replicas', 'strategy', 'progressDeadlineSeconds', 'paused']) workload.deleteIn(['spec', field])
    else workload.deleteIn(['spec', 'updateStrategy'])
  }
  for (const [field, kind, resource] of RESOURCES) {
    const value = change[field]
    if (value !== undefined) set(workload, [...CONTAINER, 'resources', kind, resource], value)
  }
  if (change.env !== undefined) writeEnv(workload, change.env)
  if (change.port !== undefined) {
    const port = Number(change.port)
    set(workload, [...CONTAINER, 'ports', 0, 'containerPort'], change.port === '' ? '' : port)
    if (service && change.port !== '') {
      service.setIn(['spec', 'ports', 0, 'port'], port)
      if (service.getIn(['spec', 'ports', 0, 'targetPort']) !== undefined) service.setIn(['spec', 'ports', 0, 'targetPort'], port)
    }
  }
  const reach = change.port === '' ? 'none' : change.reach
  if (reach === 'none' && service) docs.splice(found.service, 1)
  else if (reach !== undefined && reach !== 'none') {
    service ??= addService(docs, workload)
    if (reach === 'node') service.setIn(['spec', 'type'], 'NodePort')
    else {
      service.deleteIn(['spec', 'type'])
      service.deleteIn(['spec', 'ports', 0, 'nodePort'])
    }
  }
  return print(docs)
}

const RESOURCES = [
  ['cpuRequest', 'requests', 'cpu'],
  ['cpuLimit', 'limits', 'cpu'],
  ['memoryRequest', 'requests', 'memory'],
  ['memoryLimit', 'limits', 'memory'],
] as const

function print(docs: readonly Document[]): string {
  return docs
    .map((doc) => {
      if (doc.directives) doc.directives.docStart = null
      return doc.toString({ lineWidth: 0 })
    })
    .join('---\n')
}

/** Takes a value away, and what it leaves empty around it up to the container. */
function prune(doc: Document, path: readonly (string | number)[]): void {
  doc.deleteIn(path)
  for (let depth = path.length - 1; depth > CONTAINER.length; depth--) {
    const around = path.slice(0, depth)
    const node = doc.getIn(around)
    if ((isMap(node) || isSeq(node)) && node.items.length === 0) doc.deleteIn(around)
    else return
  }
}

/** A new name goes wherever the old one stood for it. */
function rename(workload: Document, service: Document | undefined, from: string, to: string): void {
  workload.setIn(['metadata', 'name'], to)
  const follow = (doc: Document | undefined, path: (string | number)[]) => {
    if (doc && doc.getIn(path) === from) doc.setIn(path, to)
  }
  follow(service, ['metadata', 'name'])
  follow(workload, [...CONTAINER, 'name'])
  for (const [doc, path] of [
    [workload, ['metadata', 'labels']],
    [workload, ['spec', 'selector', 'matchLabels']],
    [workload, ['spec', 'template', 'metadata', 'labels']],
    [service, ['metadata', 'labels']],
    [service, ['spec', 'selector']],
  ] as const) {
    const map = doc?.getIn(path)
    if (!isMap(map)) continue
    for (const pair of map.items) follow(doc, [...path, String(pair.key)])
  }
}

function writeEnv(doc: Document, rows: readonly EnvRow[]): void {
  const list = doc.getIn([...CONTAINER, 'env'])
  const old = isSeq(list) ? (list.toJSON() as EnvVar[]) : []
  if (rows.length === 0) return void doc.deleteIn([...CONTAINER, 'env'])
  const next = rows.map((row) =>
    row.from === undefined ? { name: row.name, value: row.value } : { ...old.find((each) => each.name === row.name), name: row.name },
  )
  doc.setIn([...CONTAINER, 'env'], doc.createNode(next))
}

function addService(docs: Document[], workload: Document): Document {
  const labels = workload.getIn(['spec', 'selector', 'matchLabels'])
  const port = workload.getIn([...CONTAINER, 'ports', 0, 'containerPort']) ?? 80
  const namespace = workload.getIn(['metadata', 'namespace'])
  const service = parseDocument('')
  service.contents = service.createNode({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: workload.getIn(['metadata', 'name']), ...(namespace ? { namespace } : {}) },
    spec: { selector: isMap(labels) ? labels.toJSON() : {}, ports: [{ port }] },
  }) as typeof service.contents
  docs.push(service)
  return service
}

/** What the page begins with. */
export function starter(fields: { image: string; name: string; namespace: string; port: number }): string {
  const { image, name, namespace, port } = fields
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  namespace: ${namespace}
spec:
  replicas: 3
  selector:
    matchLabels:
      app: ${name}
  template:
    metadata:
      labels:
        app: ${name}
    spec:
      containers:
        - name: ${name}
          image: ${JSON.stringify(image).slice(1, -1)}
          ports:
            - containerPort: ${port}
          resources:
            requests:
              cpu: 50m
              memory: 32Mi
            limits:
              memory: 128Mi
---
apiVersion: v1
kind: Service
metadata:
  name: ${name}
  namespace: ${namespace}
spec:
  type: NodePort
  selector:
    app: ${name}
  ports:
    - port: ${port}
`
}

/** Which field of the form a field of the API is, where there is one. */
export function formField(field: string): keyof FormFields | null {
  if (field === 'metadata.name') return 'name'
  if (field === 'metadata.namespace') return 'namespace'
  if (field === 'spec.replicas') return 'replicas'
  const container = /^spec\.template\.spec\.containers\[(?:0|name=[^\]]*)\]\.(.+)$/.exec(field)?.[1]
  if (container === undefined) return field.startsWith('spec.ports') ? 'port' : null
  if (container === 'image') return 'image'
  if (container.startsWith('ports')) return 'port'
  if (container.startsWith('env')) return 'env'
  const resource = /^resources\.(requests|limits)(?:\.|\[)(cpu|memory)/.exec(container)
  if (resource) return RESOURCES.find(([, kind, name]) => kind === resource[1] && name === resource[2])?.[0] ?? null
  return null
}
