/** CONNECT: what is asked before a stream to a pod, Service or node is opened. Source: apiserver `endpoints/handlers/rest.go` ConnectResource. */
import { defineSubresourceKind, type AnyKind } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { flag } from '../request-info.ts'
import type { AdmissionRequest, UserInfo } from '../types.ts'
import type { Admission } from './admission.ts'

export interface Connecting {
  readonly kind: AnyKind
  readonly subresource: string
  readonly namespace: string
  readonly name: string
  /** What follows the subresource in the path. */
  readonly tail: string
  readonly query: URLSearchParams
  readonly user: UserInfo
  readonly signal: AbortSignal
  warn(text: string): void
  /** As `AdmissionRequest` has it. */
  readonly annotate?: (key: string, value: string) => void
}

interface Options {
  readonly kind: AnyKind
  readonly fields: (query: URLSearchParams, tail: string) => Record<string, unknown>
}

const optionsOf = (kind: string, fields: Options['fields']): Options => ({
  kind: defineSubresourceKind<KubeObject>({ group: '', version: 'v1', kind, model: `io.k8s.api.core.v1.${kind}` }),
  fields,
})

function streams(query: URLSearchParams): Record<string, unknown> {
  const flags = ['stdin', 'stdout', 'stderr', 'tty'].flatMap((name) => (flag(query.get(name)) ? [[name, true] as const] : []))
  const container = query.get('container')
  return { ...Object.fromEntries(flags), ...(container ? { container } : {}) }
}

const proxied: Options['fields'] = (_, tail) => (tail ? { path: tail } : {})

/** By "resource/subresource"; other subresources that nodes answer (a pod's log) are reads. */
const OPTIONS: Readonly<Record<string, Options>> = {
  'pods/attach': optionsOf('PodAttachOptions', streams),
  'pods/exec': optionsOf('PodExecOptions', (query) => ({ ...streams(query), command: query.getAll('command') })),
  'pods/portforward': optionsOf('PodPortForwardOptions', (query) => {
    const ports = query.getAll('ports').flatMap((list) => list.split(',').map(Number))
    return ports.length > 0 ? { ports } : {}
  }),
  'pods/proxy': optionsOf('PodProxyOptions', proxied),
  'services/proxy': optionsOf('ServiceProxyOptions', proxied),
  'nodes/proxy': optionsOf('NodeProxyOptions', proxied),
}

/** Throws StatusError if a webhook or policy refuses. */
export async function admitConnect(admission: Admission, asked: Connecting): Promise<void> {
  const { kind, subresource, namespace, name, tail, query, user, signal } = asked
  const options = OPTIONS[`${kind.resource}/${subresource}`]
  if (!options || kind.group !== '') return
  const object = { apiVersion: 'v1', kind: options.kind.kind, ...options.fields(query, tail) } as unknown as KubeObject
  const notes = asked.annotate ? { annotate: asked.annotate } : {}
  const about = { kind, sent: options.kind, subresource, namespace, name, user, signal }
  const request: AdmissionRequest = { ...about, operation: 'CONNECT', object, old: null, warn: (text) => asked.warn(text), ...notes }
  await admission.admit(request)
  await admission.validate(request)
}
