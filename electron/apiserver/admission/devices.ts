/** What the kinds of devices ask of the rest of the world. Source: kubernetes `registry/resource/resourceclaim/strategy.go`, KEP-5018. */
import type { Namespace } from '../../api/core/v1/types.gen.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import type {
  DeviceClaim,
  DeviceClass,
  DeviceRequest,
  DeviceSelector,
  ResourceClaim,
  ResourceClaimTemplate,
  ResourceSlice,
} from '../../api/resource/v1/types.gen.ts'
import { forbidden, invalid, type FieldError } from '../../api/values/field-error.ts'
import { formatTime } from '../../api/values/time.ts'
import type { Clock } from '../../base/clock.ts'
import { ADMIN_ACCESS } from '../../machinery/devices/pod-claims.ts'
import { compileSelector } from '../../machinery/devices/selector.ts'
import { invalidObject } from '../../machinery/status.ts'
import type { Lookup } from '../registry/lookup.ts'
import type { AdmissionPlugin } from './admission.ts'

const NAMESPACES = { group: '', version: 'v1', resource: 'namespaces' }
const KINDS = ['deviceclasses', 'resourceclaims', 'resourceclaimtemplates']
const NEEDS_LABEL = `admin access to devices requires the \`${ADMIN_ACCESS}: true\` label on the containing namespace`

/** A taint is as old as the first word of it. */
export function deviceTaints(clock: Clock): AdmissionPlugin {
  return {
    name: 'DeviceTaints',
    handles: ({ operation, kind, subresource }) =>
      (operation === 'CREATE' || operation === 'UPDATE') &&
      subresource === '' &&
      kind.group === 'resource.k8s.io' &&
      kind.resource === 'resourceslices',
    admit({ object }) {
      for (const { taints = [] } of (object as ResourceSlice | undefined)?.spec.devices ?? [])
        for (const taint of taints) taint.timeAdded ??= formatTime(clock.now())
    },
  }
}

/** Expressions mean something, and who asks for devices that others have may do so in the namespace. Looked at when an object comes. */
export function deviceRequests(lookup: Lookup): AdmissionPlugin {
  return {
    name: 'DeviceRequests',
    handles: ({ operation, kind, subresource }) =>
      (operation === 'CREATE' || (operation === 'UPDATE' && kind.resource === 'deviceclasses')) &&
      subresource === '' &&
      kind.group === 'resource.k8s.io' &&
      KINDS.includes(kind.resource),
    async validate({ kind, name, namespace, object, old }) {
      if (!object) return
      const errors = selectorsOf(kind.resource, object, old ?? null).flatMap(({ selectors, field }) => compileAll(selectors, field))
      const claim = claimIn(kind.resource, object)
      const admin = claim ? adminRequests(claim.devices, claim.field) : []
      if (admin.length > 0) {
        const found = await lookup.get<Namespace>(NAMESPACES, '', namespace)
        if (found?.metadata.labels?.[ADMIN_ACCESS] !== 'true') errors.push(...admin.map((field) => forbidden(field, NEEDS_LABEL)))
      }
      if (errors.length > 0) throw invalidObject(kind, name, errors)
    },
  }
}

interface Place {
  readonly selectors: readonly DeviceSelector[]
  readonly field: string
}

function selectorsOf(resource: string, object: KubeObject, old: KubeObject | null): Place[] {
  if (resource === 'deviceclasses') {
    const { selectors = [] } = (object as DeviceClass).spec
    // What was stored once stays valid.
    const known = new Set(((old as DeviceClass | null)?.spec.selectors ?? []).map(({ cel }) => cel?.expression))
    return [{ selectors: selectors.map((one) => (old && known.has(one.cel?.expression) ? {} : one)), field: 'spec.selectors' }]
  }
  const claim = claimIn(resource, object)
  return (claim?.devices.requests ?? []).flatMap((request, i) => selectorsOfRequest(request, `${claim?.field}.requests[${i}]`))
}

function selectorsOfRequest({ exactly, firstAvailable = [] }: DeviceRequest, field: string): Place[] {
  return [
    ...(exactly?.selectors ? [{ selectors: exactly.selectors, field: `${field}.exactly.selectors` }] : []),
    ...firstAvailable.map(({ selectors = [] }, i) => ({ selectors, field: `${field}.firstAvailable[${i}].selectors` })),
  ]
}

function compileAll(selectors: readonly DeviceSelector[], field: string): FieldError[] {
  return selectors.flatMap(({ cel }, i) => {
    if (!cel?.expression) return []
    const { error } = compileSelector(cel.expression)
    return error === undefined ? [] : [invalid(`${field}[${i}].cel.expression`, cel.expression, error)]
  })
}

function claimIn(resource: string, object: KubeObject): { readonly devices: DeviceClaim; readonly field: string } | null {
  if (resource === 'resourceclaims') return { devices: (object as ResourceClaim).spec.devices, field: 'spec.devices' }
  if (resource !== 'resourceclaimtemplates') return null
  return { devices: (object as ResourceClaimTemplate).spec.spec.devices, field: 'spec.spec.devices' }
}

function adminRequests({ requests = [] }: DeviceClaim, field: string): string[] {
  return requests.flatMap(({ exactly }, i) => (exactly?.adminAccess ? [`${field}.requests[${i}].exactly.adminAccess`] : []))
}
