/** pods/binding and the Binding kind: a scheduler's word on where a pod runs. Source: kubernetes `registry/core/pod/storage`. */
import type { Binding, Pod } from '../../api/core/v1/types.gen.ts'
import { defineKind } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { formatTime } from '../../api/values/time.ts'
import { notSupported, required } from '../../api/values/field-error.ts'
import { badRequest, conflict, invalidObject, notFound, type Status } from '../../machinery/status.ts'
import type { Clock } from '../../base/clock.ts'
import { thaw } from '../cache/thaw.ts'
import { admissionRequest } from '../registry/admission-request.ts'
import { guaranteedUpdate } from '../registry/guaranteed-update.ts'
import type { Call, Registry, WriteParameters } from '../registry/registry.ts'
import type { Subresource } from '../registry/subresource.ts'

export const bindingKind = defineKind<Binding>({
  group: '',
  version: 'v1',
  kind: 'Binding',
  resource: 'bindings',
  namespaced: true,
  model: 'io.k8s.api.core.v1.Binding',
  verbs: ['create'],
})

export function binding(registry: Registry): Subresource {
  return { kind: bindingKind, part: 'main', create: (call, object, parameters) => bind(registry, call, object as Binding, parameters) }
}

/** `call` is for pods; its name is the pod's, or for a Binding by itself "". */
export async function bind(registry: Registry, call: Call, sent: Binding, parameters: WriteParameters): Promise<Omit<Status, 'code'>> {
  const name = call.name || sent.metadata.name
  if (sent.metadata.name && sent.metadata.name !== name) throw badRequest(`name in URL does not match name in Binding object`)
  check(sent, name)
  const { resource } = call
  await registry.admission.admit(admissionRequest(call, 'CREATE', sent, null))
  await registry.admission.validate(admissionRequest(call, 'CREATE', sent, null))
  const key = resource.storage.key(call.namespace, name)
  await guaranteedUpdate(registry, resource.storage, key, { dryRun: parameters.dryRun, signal: call.signal }, (current) => {
    if (!current) throw notFound({ group: '', resource: 'pods' }, name)
    return { type: 'put', object: bound(thaw(current.object) as Pod, sent, registry.clock) }
  })
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' }
}

function check(sent: Binding, name: string): void {
  const { target } = sent
  const errors = []
  if (target.kind && target.kind !== 'Node') errors.push(notSupported('target.kind', target.kind, ['Node', '<empty>']))
  if (!target.name) errors.push(required('target.name'))
  if (errors.length > 0) throw invalidObject(bindingKind, name, errors)
}

function bound(pod: Pod, sent: Binding, clock: Clock): KubeObject {
  const { metadata, spec, status } = pod
  const refuse = (why: string) => conflict({ group: '', resource: 'pods/binding' }, metadata.name, why)
  if (sent.metadata.uid && sent.metadata.uid !== metadata.uid) {
    throw refuse(`Precondition failed: UID in precondition: ${sent.metadata.uid}, UID in object meta: ${metadata.uid}`)
  }
  if (metadata.deletionTimestamp) throw refuse(`pod ${metadata.name} is being deleted, cannot be assigned to a host`)
  if (spec.nodeName) throw refuse(`pod ${metadata.name} is already assigned to node ${JSON.stringify(spec.nodeName)}`)
  if (spec.schedulingGates?.length) throw refuse(`pod ${metadata.name} has non-empty .spec.schedulingGates`)
  spec.nodeName = sent.target.name ?? ''
  if (sent.metadata.annotations) metadata.annotations = { ...metadata.annotations, ...sent.metadata.annotations }
  if (sent.metadata.labels) metadata.labels = { ...metadata.labels, ...sent.metadata.labels }
  const others = (status.conditions ?? []).filter((c) => c.type !== 'PodScheduled')
  const before = (status.conditions ?? []).find((c) => c.type === 'PodScheduled')
  const lastTransitionTime = before?.status === 'True' ? before.lastTransitionTime : formatTime(clock.now())
  status.conditions = [...others, { type: 'PodScheduled', status: 'True', ...(lastTransitionTime ? { lastTransitionTime } : {}) }]
  if (metadata.generation) metadata.generation++
  return pod
}
