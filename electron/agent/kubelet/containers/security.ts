/** Who a container runs as and what it may do. Source: kubernetes `kuberuntime/security_context`, `securitycontext`. */
import type { Container, Pod, SeccompProfile, AppArmorProfile, SELinuxOptions } from '../../../api/core/v1/types.gen.ts'
import type { ImageInfo } from '../../runtime/cri-types.ts'
import type { LinuxSecurityContext, NamespaceOption, SecurityProfile } from '../../runtime/cri.ts'
import { MountPropagation, NamespaceMode, SecurityProfile_ProfileType, SupplementalGroupsPolicy } from '../../runtime/gen/cri_pb.js'
import { podText } from '../pods/names.ts'
import { ContainerConfigError } from './env.ts'

/** Hidden from containers: they tell of, or reach into, the machine. */
const MASKED_PATHS = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
]
const READONLY_PATHS = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']

export interface SecurityInput {
  readonly pod: Pod
  readonly container: Container
  readonly image: ImageInfo
  /** Folder of seccomp profiles that pods name by path. */
  readonly seccompDir: string
  /** Of an ephemeral container: the id of the container whose processes it sees. */
  readonly targetId?: string | undefined
  /** Groups that volumes want the container to be in. */
  readonly extraGroups?: readonly number[]
}

/** Throws ContainerConfigError where `runAsNonRoot` does not hold. */
export function containerSecurity(input: SecurityInput): LinuxSecurityContext {
  const { pod, container, image } = input
  const podContext = pod.spec.securityContext ?? {}
  const own = container.securityContext ?? {}
  const runAsUser = own.runAsUser ?? podContext.runAsUser
  const runAsGroup = own.runAsGroup ?? podContext.runAsGroup
  verifyNonRoot(pod, container, image)
  const user =
    runAsUser !== undefined
      ? { runAsUser: { value: BigInt(runAsUser) } }
      : image.uid !== undefined
        ? { runAsUser: { value: BigInt(image.uid) } }
        : { runAsUsername: image.username }
  const privileged = own.privileged ?? false
  const masked = !privileged && own.procMount !== 'Unmasked'
  const seccomp = own.seccompProfile ?? podContext.seccompProfile
  const appArmor = own.appArmorProfile ?? podContext.appArmorProfile
  const selinux = own.seLinuxOptions ?? podContext.seLinuxOptions
  return {
    ...user,
    ...(runAsGroup === undefined ? {} : { runAsGroup: { value: BigInt(runAsGroup) } }),
    privileged,
    readonlyRootfs: own.readOnlyRootFilesystem ?? false,
    capabilities: {
      addCapabilities: (own.capabilities?.add ?? []).map(withoutPrefix),
      dropCapabilities: (own.capabilities?.drop ?? []).map(withoutPrefix),
    },
    supplementalGroups: supplementalGroups(pod, input.extraGroups ?? []),
    supplementalGroupsPolicy: groupsPolicy(pod),
    noNewPrivs: own.allowPrivilegeEscalation === false,
    maskedPaths: masked ? MASKED_PATHS : [],
    readonlyPaths: masked ? READONLY_PATHS : [],
    namespaceOptions: namespaces(pod, input.targetId),
    seccomp: privileged ? unconfined() : seccompProfile(seccomp, input.seccompDir),
    ...(appArmor ? { apparmor: appArmorProfile(appArmor) } : {}),
    ...(selinux ? { selinuxOptions: selinuxOptions(selinux) } : {}),
  }
}

/** CRI wants "NET_ADMIN"; both forms are written in pods. */
function withoutPrefix(capability: string): string {
  return capability.replace(/^CAP_/, '')
}

export function supplementalGroups(pod: Pod, extra: readonly number[] = []): bigint[] {
  const { supplementalGroups: groups = [], fsGroup } = pod.spec.securityContext ?? {}
  return [...new Set([...groups, ...(fsGroup === undefined ? [] : [fsGroup]), ...extra])].map(BigInt)
}

export function groupsPolicy(pod: Pod): SupplementalGroupsPolicy {
  const strict = pod.spec.securityContext?.supplementalGroupsPolicy === 'Strict'
  return strict ? SupplementalGroupsPolicy.Strict : SupplementalGroupsPolicy.Merge
}

/** Which namespaces are the node's, the pod's, or the container's own. */
export function namespaces(pod: Pod, targetId?: string): NamespaceOption {
  const { hostNetwork, hostIPC, hostPID, shareProcessNamespace } = pod.spec
  const network = hostNetwork ? NamespaceMode.NODE : NamespaceMode.POD
  const ipc = hostIPC ? NamespaceMode.NODE : NamespaceMode.POD
  if (targetId !== undefined && !hostPID && !shareProcessNamespace) return { network, ipc, pid: NamespaceMode.TARGET, targetId }
  return { network, ipc, pid: hostPID ? NamespaceMode.NODE : shareProcessNamespace ? NamespaceMode.POD : NamespaceMode.CONTAINER }
}

/** Without a profile a container runs unconfined, as kubelet does unless told otherwise. */
export function seccompProfile(profile: SeccompProfile | undefined, dir: string): SecurityProfile {
  switch (profile?.type) {
    case 'RuntimeDefault':
      return { profileType: SecurityProfile_ProfileType.RuntimeDefault }
    case 'Localhost':
      return { profileType: SecurityProfile_ProfileType.Localhost, localhostRef: `${dir}/${profile.localhostProfile ?? ''}` }
    default:
      return unconfined()
  }
}

function unconfined(): SecurityProfile {
  return { profileType: SecurityProfile_ProfileType.Unconfined }
}

export function appArmorProfile(profile: AppArmorProfile): SecurityProfile {
  switch (profile.type) {
    case 'RuntimeDefault':
      return { profileType: SecurityProfile_ProfileType.RuntimeDefault }
    case 'Localhost':
      return { profileType: SecurityProfile_ProfileType.Localhost, localhostRef: profile.localhostProfile ?? '' }
    default:
      return unconfined()
  }
}

export function selinuxOptions({ user = '', role = '', type = '', level = '' }: SELinuxOptions) {
  return { user, role, type, level }
}

function verifyNonRoot(pod: Pod, container: Container, image: ImageInfo): void {
  const podContext = pod.spec.securityContext ?? {}
  const own = container.securityContext ?? {}
  const nonRoot = own.runAsNonRoot ?? podContext.runAsNonRoot ?? false
  if (!nonRoot) return
  const where = `(pod: ${JSON.stringify(podText(pod))}, container: ${container.name})`
  const runAsUser = own.runAsUser ?? podContext.runAsUser
  if (runAsUser !== undefined) {
    if (runAsUser !== 0) return
    throw new ContainerConfigError(`container's runAsUser breaks non-root policy ${where}`)
  }
  if (image.uid === undefined && image.username !== '') {
    const why = `container has runAsNonRoot and image has non-numeric user (${image.username}), cannot verify user is non-root`
    throw new ContainerConfigError(`${why} ${where}`)
  }
  if ((image.uid ?? 0) === 0) throw new ContainerConfigError(`container has runAsNonRoot and image will run as root ${where}`)
}

export function mountPropagation(mode: string | undefined): MountPropagation {
  switch (mode) {
    case 'HostToContainer':
      return MountPropagation.PROPAGATION_HOST_TO_CONTAINER
    case 'Bidirectional':
      return MountPropagation.PROPAGATION_BIDIRECTIONAL
    default:
      return MountPropagation.PROPAGATION_PRIVATE
  }
}
