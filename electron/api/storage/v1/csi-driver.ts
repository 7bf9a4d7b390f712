import { ageColumn, joined } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import { immutable } from '../../meta/v1/validation.ts'
import { duplicate, invalid, notSupported, type FieldError } from '../../values/field-error.ts'
import { csiDriverName } from '../../core/v1/pod-spec/volume-sources.ts'
import type { CSIDriver, TokenRequest } from './types.gen.ts'

const FS_GROUP_POLICIES = ['File', 'None', 'ReadWriteOnceWithFSType']
const LIFECYCLE_MODES = ['Ephemeral', 'Persistent']
const MIN_TOKEN_SECONDS = 10 * 60
const MAX_TOKEN_SECONDS = 2 ** 32

export const csiDriver = defineKind<CSIDriver>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIDriver',
  resource: 'csidrivers',
  namespaced: false,
  model: 'io.k8s.api.storage.v1.CSIDriver',
  columns: [
    {
      name: 'AttachRequired',
      type: 'boolean',
      description: 'Whether its volumes are attached to nodes',
      value: ({ spec }) => spec.attachRequired ?? true,
    },
    {
      name: 'PodInfoOnMount',
      type: 'boolean',
      description: 'Whether it is told of the pod',
      value: ({ spec }) => spec.podInfoOnMount ?? false,
    },
    {
      name: 'StorageCapacity',
      type: 'boolean',
      description: 'Whether the scheduler looks at its capacity',
      value: ({ spec }) => spec.storageCapacity ?? false,
    },
    {
      name: 'TokenRequests',
      type: 'string',
      description: 'Audiences of the tokens that it wants',
      value: ({ spec }) =>
        joined(
          spec.tokenRequests?.map(({ audience }) => audience),
          '<unset>',
        ),
    },
    {
      name: 'RequiresRepublish',
      type: 'boolean',
      description: 'Whether its mounts are made again and again',
      value: ({ spec }) => spec.requiresRepublish ?? false,
    },
    {
      name: 'Modes',
      type: 'string',
      description: 'Lives that its volumes may have',
      value: ({ spec }) => joined(spec.volumeLifecycleModes),
    },
    ageColumn,
  ],
  strategy: {
    defaults({ spec }) {
      spec.attachRequired ??= true
      spec.podInfoOnMount ??= false
      spec.storageCapacity ??= false
      spec.fsGroupPolicy ??= 'ReadWriteOnceWithFSType'
      if (!spec.volumeLifecycleModes?.length) spec.volumeLifecycleModes = ['Persistent']
      spec.requiresRepublish ??= false
      spec.seLinuxMount ??= false
    },
    validate({ metadata, spec }) {
      const { fsGroupPolicy: policy, volumeLifecycleModes: modes = [], tokenRequests = [] } = spec
      return [
        ...csiDriverName(metadata.name, 'metadata.name'),
        ...(policy && !FS_GROUP_POLICIES.includes(policy) ? [notSupported('spec.fsGroupPolicy', policy, FS_GROUP_POLICIES)] : []),
        ...validateTokenRequests(tokenRequests, 'spec.tokenRequests'),
        ...modes.flatMap((mode, i) =>
          LIFECYCLE_MODES.includes(mode) ? [] : [notSupported(`spec.volumeLifecycleModes[${i}]`, mode, LIFECYCLE_MODES)],
        ),
      ]
    },
    validateUpdate: ({ spec }, old) => [
      ...immutable('spec.attachRequired', spec.attachRequired, old.spec.attachRequired),
      ...immutable('spec.volumeLifecycleModes', spec.volumeLifecycleModes, old.spec.volumeLifecycleModes),
    ],
  },
})

function validateTokenRequests(requests: readonly TokenRequest[], field: string): FieldError[] {
  return requests.flatMap(({ audience, expirationSeconds }, i) => {
    const at = `${field}[${i}]`
    const out: FieldError[] = []
    if (requests.findIndex((one) => one.audience === audience) < i) out.push(duplicate(`${at}.audience`, audience))
    if (expirationSeconds === undefined) return out
    const seconds = `${at}.expirationSeconds`
    if (expirationSeconds < MIN_TOKEN_SECONDS)
      out.push(invalid(seconds, expirationSeconds, 'may not specify a duration less than 10 minutes'))
    if (expirationSeconds > MAX_TOKEN_SECONDS)
      out.push(invalid(seconds, expirationSeconds, 'may not specify a duration larger than 2^32 seconds'))
    return out
  })
}
