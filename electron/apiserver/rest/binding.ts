/** pods/binding and the Binding kind: a scheduler's word on where a pod runs. Source: kubernetes `registry/core/pod/storage`. */
import type { Binding, Pod } from '../../api/core/v1/types.gen.ts'
import { binding as bindingKind } from '../../api/core/v1/binding.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { formatTime } from '../../api/values/time.ts'
import { badRequest, conflict, invalidObject, notFound, type Status } from '../../machinery/status.ts'
import type { Clock } from '../../base/clock.ts'
import { thaw } from '../../machinery/freeze.ts'
import { admissionRequest, writeOptions } from '../registry/admission-request.ts'
import { guaranteedUpdate } from '../registry/guaranteed-update.ts'
import type { Call, Registry, WriteParameters } from '../registry/registry.ts'
import type { Resources } from '../resources.ts'
import type { Responder } from '../types.ts'
import type { Subresource } from '../registry/subresource.ts'

export function binding(registry: Registry): Subresource {
  return {
    kind: bindingKind,
    part: 'main',
    async create(call, object, parameters) {
      const how = { ...writeOptions('CreateOptions', parameters), sent: bindingKind }
      const request = admissionRequest(call, 'CREATE', object, null, how)
      await registry.admission.admit(request)
      await registry.admission.validate(request)
      return bind(registry, call, object as Binding, parameters)
    },
  }
}

/** POST of a Binding by itself. */
export function bindingResponder(registry: Registry, resources: Resources): Responder {
  return async (object, { user, namespace, signal, dryRun = false }) => {
    const resource = resources.find('', 'v1', 'pods')
    if (!resource) throw notFound({ group: '', resource: 'pods' }, object.metadata.name)
    const call = { resource, namespace, name: '', subresource: 'binding', user, manager: user.name, signal, warn() {} }
    const parameters = { dryRun, fieldManager: '', fieldValidation: 'Warn', force: false } as const
    return (await bind(registry, call, object as Binding, parameters)) as unknown as KubeObject
  }
}

/** `call` is for pods; its name is the pod's, or for a Binding by itself "". */
async function bind(registry: Registry, call: Call, sent: Binding, parameters: WriteParameters): Promise<Status> {
  const name = call.name || sent.metadata.name
  if (sent.metadata.name && sent.metadata.name !== name) throw badRequest(`name in URL does not match name in Binding object`)
  const errors = bindingKind.strategy.validate?.(sent) ?? []
  if (errors.length > 0) throw invalidObject(bindingKind, name, errors)
  const { resource } = call
  const key = resource.storage.key(call.namespace, name)
  await guaranteedUpdate(registry, resource.storage, key, { dryRun: parameters.dryRun, signal: call.signal }, (current) => {
    if (!current) throw notFound({ group: '', resource: 'pods' }, name)
    return { type: 'put', object: bound(thaw(current.object) as Pod, sent, registry.clock) }
  })
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 }
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
  // What was hoped for is settled (KEP-5278).
  delete status.nominatedNodeName
  if (sent.metadata.annotations) metadata.annotations = { ...metadata.annotations, ...sent.metadata.annotations }
  if (sent.metadata.labels) metadata.labels = { ...metadata.labels, ...sent.metadata.labels }
  const others = (status.conditions ?? []).filter((c) => c.type !== 'PodScheduled')
  const before = (status.conditions ?? []).find((c) => c.type === 'PodScheduled')
  const lastTransitionTime = before?.status === 'True' ? before.lastTransitionTime : formatTime(clock.now())
  status.conditions = [...others, { type: 'PodScheduled', status: 'True', ...(lastTransitionTime ? { lastTransitionTime } : {}) }]
  return pod
}
