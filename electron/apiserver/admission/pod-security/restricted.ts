/** The level that asks pods to give up what they do not need. Source: k8s.io/pod-security-admission `policy`. */
import type { Volume } from '../../../api/core/v1/types.gen.ts'
import { procMount, uses } from './baseline.ts'
import {
  containersWhere,
  distinct,
  named,
  quoted,
  setters,
  unlessOwnUsers,
  unlessWindows,
  type Check,
  type JudgeableContainer,
  type Rule,
} from './check.ts'
import { seccompRequired } from './seccomp.ts'

const VOLUMES = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
] as const satisfies readonly (keyof Volume)[]
const OTHER_VOLUMES = [
  'hostPath',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'gitRepo',
  'nfs',
  'iscsi',
  'glusterfs',
  'rbd',
  'flexVolume',
  'cinder',
  'cephfs',
  'flocker',
  'fc',
  'azureFile',
  'vsphereVolume',
  'quobyte',
  'azureDisk',
  'photonPersistentDisk',
  'portworxVolume',
  'scaleIO',
  'storageos',
] as const satisfies readonly (keyof Volume)[]

const allowPrivilegeEscalation: Rule = (pod) => {
  const names = containersWhere(pod, ({ securityContext }) => securityContext?.allowPrivilegeEscalation !== false)
  if (names.length === 0) return null
  const detail = `${named('container', names)} must set securityContext.allowPrivilegeEscalation=false`
  return { reason: 'allowPrivilegeEscalation != false', detail }
}

const capabilities: Rule = (pod) => {
  const added = ({ securityContext }: JudgeableContainer) =>
    (securityContext?.capabilities?.add ?? []).filter((one) => one !== 'NET_BIND_SERVICE')
  const keeping = containersWhere(pod, ({ securityContext }) => !securityContext?.capabilities?.drop?.includes('ALL'))
  const adding = containersWhere(pod, (container) => added(container).length > 0)
  const details: string[] = []
  if (keeping.length > 0) details.push(`${named('container', keeping)} must set securityContext.capabilities.drop=["ALL"]`)
  if (adding.length > 0) {
    const what = quoted(distinct(pod.containers.flatMap(added)))
    details.push(`${named('container', adding)} must not include ${what} in securityContext.capabilities.add`)
  }
  return details.length > 0 ? { reason: 'unrestricted capabilities', detail: details.join('; ') } : null
}

const restrictedVolumes: Rule = ({ spec }) => {
  const bad = (spec.volumes ?? []).filter((volume) => !VOLUMES.some((type) => volume[type]))
  if (bad.length === 0) return null
  const types = distinct(bad.map((volume) => OTHER_VOLUMES.find((type) => volume[type]) ?? 'unknown'))
  const who = uses(
    'volume',
    bad.map(({ name }) => name),
  )
  return { reason: 'restricted volume types', detail: `${who} ${named('restricted volume type', types)}` }
}

const runAsNonRoot: Rule = (pod) => {
  const reason = 'runAsNonRoot != true'
  const who = setters(pod, (context) => context.runAsNonRoot === false)
  if (who) return { reason, detail: `${who} must not set securityContext.runAsNonRoot=false` }
  if (pod.spec.securityContext?.runAsNonRoot) return null
  const names = containersWhere(pod, ({ securityContext }) => securityContext?.runAsNonRoot === undefined)
  return names.length > 0 ? { reason, detail: `pod or ${named('container', names)} must set securityContext.runAsNonRoot=true` } : null
}

const runAsUser: Rule = (pod) => {
  const who = setters(pod, (context) => context.runAsUser === 0)
  return who ? { reason: 'runAsUser=0', detail: `${who} must not set runAsUser=0` } : null
}

export const RESTRICTED: readonly Check[] = [
  {
    id: 'allowPrivilegeEscalation',
    level: 'restricted',
    versions: [
      { since: 8, rule: allowPrivilegeEscalation },
      { since: 25, rule: unlessWindows(allowPrivilegeEscalation) },
    ],
  },
  {
    id: 'capabilities_restricted',
    level: 'restricted',
    versions: [
      { since: 22, rule: capabilities, instead: 'capabilities_baseline' },
      { since: 25, rule: unlessWindows(capabilities), instead: 'capabilities_baseline' },
    ],
  },
  { id: 'procMount_restricted', level: 'restricted', versions: [{ since: 35, rule: procMount, instead: 'procMount' }] },
  { id: 'restrictedVolumes', level: 'restricted', versions: [{ since: 0, rule: restrictedVolumes, instead: 'hostPathVolumes' }] },
  {
    id: 'runAsNonRoot',
    level: 'restricted',
    versions: [
      { since: 0, rule: runAsNonRoot },
      { since: 35, rule: unlessOwnUsers(runAsNonRoot) },
    ],
  },
  {
    id: 'runAsUser',
    level: 'restricted',
    versions: [
      { since: 23, rule: runAsUser },
      { since: 35, rule: unlessOwnUsers(runAsUser) },
    ],
  },
  {
    id: 'seccompProfile_restricted',
    level: 'restricted',
    versions: [
      { since: 19, rule: seccompRequired, instead: 'seccompProfile_baseline' },
      { since: 25, rule: unlessWindows(seccompRequired), instead: 'seccompProfile_baseline' },
    ],
  },
]
