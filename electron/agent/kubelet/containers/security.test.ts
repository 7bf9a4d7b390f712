import { describe, expect, it } from 'vitest'
import type { Container, PodSpec } from '../../../api/core/v1/types.gen.ts'
import type { ImageInfo } from '../../runtime/cri-types.ts'
import { NamespaceMode, SecurityProfile_ProfileType } from '../../runtime/gen/cri_pb.js'
import { container, pod } from '../../testing/pods.ts'
import { containerSecurity } from './security.ts'

const ROOT: ImageInfo = { id: 'i', tags: [], digests: [], size: 1, uid: 0, username: '', pinned: false }
const { uid: _uid, ...rest } = ROOT
const NAMED: ImageInfo = { ...rest, username: 'nobody' }

function make(own: Container['securityContext'], spec: Partial<PodSpec> = {}, image = ROOT) {
  const main = container({ name: 'main', ...(own ? { securityContext: own } : {}) })
  const { containers: _c, initContainers: _i, ...other } = spec
  return containerSecurity({ pod: pod({ ...other, containers: [main] }), container: main, image, seccompDir: '/seccomp' })
}

describe('containerSecurity', () => {
  it('runs as the container says, else as the pod, else as the image', () => {
    expect(make({ runAsUser: 5 }, { securityContext: { runAsUser: 7, runAsGroup: 8 } })).toMatchObject({
      runAsUser: { value: 5n },
      runAsGroup: { value: 8n },
    })
    expect(make(undefined, { securityContext: { runAsUser: 7 } })).toMatchObject({ runAsUser: { value: 7n } })
    expect(make(undefined, {}, { ...ROOT, uid: 9 })).toMatchObject({ runAsUser: { value: 9n } })
    expect(make(undefined, {}, NAMED)).toMatchObject({ runAsUsername: 'nobody' })
  })

  it.each([
    [{ runAsNonRoot: true }, ROOT, 'container has runAsNonRoot and image will run as root (pod: "web_default(uid-1)", container: main)'],
    [
      { runAsNonRoot: true },
      NAMED,
      'container has runAsNonRoot and image has non-numeric user (nobody), cannot verify user is non-root (pod: "web_default(uid-1)", container: main)',
    ],
    [
      { runAsNonRoot: true, runAsUser: 0 },
      NAMED,
      'container\'s runAsUser breaks non-root policy (pod: "web_default(uid-1)", container: main)',
    ],
  ])('refuses root where it is not wanted: %j', (own, image, message) => {
    expect(() => make(own, {}, image)).toThrow(message)
  })

  it('lets a user be that is not root', () => {
    expect(() => make({ runAsNonRoot: true, runAsUser: 1000 })).not.toThrow()
    expect(() => make({ runAsNonRoot: true }, {}, { ...ROOT, uid: 1000 })).not.toThrow()
    expect(() => make({ runAsNonRoot: false }, { securityContext: { runAsNonRoot: true } })).not.toThrow()
  })

  it('gives capabilities, hides the machine, and keeps privileges as asked', () => {
    const plain = make({ capabilities: { add: ['CAP_NET_ADMIN'], drop: ['ALL'] }, allowPrivilegeEscalation: false })
    expect(plain).toMatchObject({
      capabilities: { addCapabilities: ['NET_ADMIN'], dropCapabilities: ['ALL'] },
      noNewPrivs: true,
      privileged: false,
    })
    expect(plain.maskedPaths).toContain('/proc/kcore')
    const privileged = make({ privileged: true, seccompProfile: { type: 'RuntimeDefault' } })
    expect(privileged).toMatchObject({
      privileged: true,
      maskedPaths: [],
      readonlyPaths: [],
      seccomp: { profileType: SecurityProfile_ProfileType.Unconfined },
    })
    expect(make({ seccompProfile: { type: 'Localhost', localhostProfile: 'a.json' } }).seccomp).toMatchObject({
      localhostRef: '/seccomp/a.json',
    })
  })

  it('puts the container into the groups and namespaces of its pod', () => {
    const shared = make(undefined, {
      shareProcessNamespace: true,
      hostIPC: true,
      securityContext: { supplementalGroups: [4, 5], fsGroup: 5 },
    })
    expect(shared.supplementalGroups).toEqual([4n, 5n])
    expect(shared.namespaceOptions).toEqual({ network: NamespaceMode.POD, ipc: NamespaceMode.NODE, pid: NamespaceMode.POD })
    expect(make(undefined, { hostPID: true, hostNetwork: true }).namespaceOptions).toEqual({
      network: NamespaceMode.NODE,
      ipc: NamespaceMode.POD,
      pid: NamespaceMode.NODE,
    })
  })
})
