import { describe, expect, it } from 'vitest'
import type { Container, PodSpec } from '../../../api/core/v1/types.gen.ts'
import { judgeable } from './check.ts'
import { detailsOf, reasonsOf, violations } from './evaluate.ts'
import type { Level } from './policy.ts'

type Spec = Partial<Omit<PodSpec, 'containers' | 'initContainers'>>
type Parts = Partial<Container>
type Annotations = Record<string, string>

/** Containers named a, b, …; the first one in front of the others where `init` says so. */
const pod = (parts: Parts[], spec: Spec = {}, annotations: Annotations = {}) =>
  judgeable(annotations, { ...spec, containers: parts.map((part, i) => container('abc'[i] ?? '', part)) })
const container = (name: string, parts: Parts = {}): Container => ({ name, image: 'i', resources: {}, ...parts })
const secured = (securityContext: Container['securityContext']): Parts => (securityContext ? { securityContext } : {})
const judge = (level: Level, minor: number, what: ReturnType<typeof pod>) => detailsOf(violations({ level, minor }, what))

/** All that the level "restricted" asks for. */
const SAFE: Container['securityContext'] = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  runAsNonRoot: true,
  seccompProfile: { type: 'RuntimeDefault' },
}
const safe = (more: Container['securityContext'] = {}) => secured({ ...SAFE, ...more })
const LATEST = Infinity

describe('the baseline', () => {
  const bad: [name: string, pod: ReturnType<typeof pod>, text: string][] = [
    [
      'host namespaces',
      pod([{}], { hostNetwork: true, hostPID: true, hostIPC: true }),
      'host namespaces (hostNetwork=true, hostPID=true, hostIPC=true)',
    ],
    [
      'host ports',
      pod([
        { ports: [{ containerPort: 1, hostPort: 80, protocol: 'TCP' }] },
        {
          ports: [
            { containerPort: 1, hostPort: 443, protocol: 'TCP' },
            { containerPort: 2, protocol: 'TCP' },
          ],
        },
      ]),
      'hostPort (containers "a", "b" use hostPorts 443, 80)',
    ],
    ['one host port', pod([{ ports: [{ containerPort: 1, hostPort: 80, protocol: 'TCP' }] }]), 'hostPort (container "a" uses hostPort 80)'],
    [
      'volumes of the node',
      pod([{}], { volumes: [{ name: 'v', hostPath: { path: '/' } }, { name: 'w' }] }),
      'hostPath volumes (volume "v")',
    ],
    [
      'privileged containers',
      pod([secured({ privileged: true }), {}, secured({ privileged: true })]),
      'privileged (containers "a", "c" must not set securityContext.privileged=true)',
    ],
    [
      'capabilities beyond the usual ones',
      pod([secured({ capabilities: { add: ['SYS_ADMIN', 'CHOWN', 'NET_RAW'] } })]),
      'non-default capabilities (container "a" must not include "NET_RAW", "SYS_ADMIN" in securityContext.capabilities.add)',
    ],
    [
      'SELinux labels',
      pod([secured({ seLinuxOptions: { type: 'spc_t', role: 'r' } })], { securityContext: { seLinuxOptions: { user: 'u' } } }),
      'seLinuxOptions (pod and container "a" set forbidden securityContext.seLinuxOptions: type "spc_t"; user may not be set; role may not be set)',
    ],
    [
      'an unmasked /proc',
      pod([secured({ procMount: 'Unmasked' }), secured({ procMount: 'Default' })]),
      'procMount (container "a" must not set securityContext.procMount to "Unmasked")',
    ],
    [
      'no AppArmor',
      pod([secured({ appArmorProfile: { type: 'Unconfined' } })], {}, { 'container.apparmor.security.beta.kubernetes.io/a': 'unconfined' }),
      'forbidden AppArmor profiles (container "a" and annotation must not set AppArmor profile type to "Unconfined", "container.apparmor.security.beta.kubernetes.io/a="unconfined"")',
    ],
    [
      'no seccomp',
      pod([secured({ seccompProfile: { type: 'Unconfined' } })], { securityContext: { seccompProfile: { type: 'Unconfined' } } }),
      'seccompProfile (pod and container "a" must not set securityContext.seccompProfile.type to "Unconfined")',
    ],
    [
      'unsafe sysctls',
      pod([{}], {
        securityContext: {
          sysctls: [
            { name: 'kernel.msgmax', value: '1' },
            { name: 'net.ipv4.tcp_rmem', value: '1' },
          ],
        },
      }),
      'forbidden sysctls (kernel.msgmax)',
    ],
    [
      'processes on a Windows node',
      pod([secured({ windowsOptions: { hostProcess: true } })], { securityContext: { windowsOptions: { hostProcess: true } } }),
      'hostProcess (pod and container "a" must not set securityContext.windowsOptions.hostProcess=true)',
    ],
    [
      'probes of other hosts',
      pod([
        {
          livenessProbe: { httpGet: { host: '10.0.0.1', port: 80 } },
          lifecycle: { preStop: { tcpSocket: { host: '10.0.0.2', port: 1 } } },
        },
      ]),
      'probe or lifecycle host (container "a" uses probe or lifecycle hosts "10.0.0.1", "10.0.0.2")',
    ],
  ]
  it.each(bad)('forbids %s', (_name, what, text) => {
    expect(judge('baseline', LATEST, what)).toBe(text)
    expect(judge('privileged', LATEST, what)).toBe('')
  })

  it('judges init and ephemeral containers too', () => {
    const spec = {
      containers: [container('main')],
      initContainers: [container('first', secured({ privileged: true }))],
      ephemeralContainers: [{ ...container('debug', secured({ privileged: true })) }],
    } as PodSpec
    expect(judge('baseline', LATEST, judgeable({}, spec))).toBe(
      'privileged (containers "first", "debug" must not set securityContext.privileged=true)',
    )
  })

  it('lets pass what a container may do', () => {
    const what = pod(
      [
        secured({
          capabilities: { add: ['NET_BIND_SERVICE', 'KILL'] },
          seLinuxOptions: { type: 'container_kvm_t', level: 's0' },
          appArmorProfile: { type: 'Localhost', localhostProfile: 'p' },
          seccompProfile: { type: 'Localhost', localhostProfile: 'p' },
          privileged: false,
          runAsUser: 0,
        }),
      ],
      { securityContext: { sysctls: [{ name: 'kernel.shm_rmid_forced', value: '1' }] }, volumes: [{ name: 'v', emptyDir: {} }] },
      { 'container.apparmor.security.beta.kubernetes.io/a': 'localhost/p' },
    )
    expect(judge('baseline', LATEST, what)).toBe('')
    expect(judge('baseline', 0, what)).toBe('')
  })
})

describe('the level "restricted"', () => {
  it('asks of a pod that says nothing, in upstream words', () => {
    expect(judge('restricted', LATEST, pod([{}]))).toBe(
      'allowPrivilegeEscalation != false (container "a" must set securityContext.allowPrivilegeEscalation=false), ' +
        'unrestricted capabilities (container "a" must set securityContext.capabilities.drop=["ALL"]), ' +
        'runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true), ' +
        'seccompProfile (pod or container "a" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
    )
  })

  it('is content with a pod that gives up what it can', () => {
    const all = pod([safe(), safe({ capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] } })], {
      volumes: [
        { name: 'a', image: {} },
        { name: 'b', projected: {} },
      ] as PodSpec['volumes'] & object,
    })
    expect(judge('restricted', LATEST, all)).toBe('')
    const inherited = pod([secured({ allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } })], {
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    })
    expect(judge('restricted', LATEST, inherited)).toBe('')
  })

  const bad: [name: string, pod: ReturnType<typeof pod>, text: string][] = [
    [
      'capabilities',
      pod([safe({ capabilities: { add: ['SYS_TIME'] } })]),
      'unrestricted capabilities (container "a" must set securityContext.capabilities.drop=["ALL"]; container "a" must not include "SYS_TIME" in securityContext.capabilities.add)',
    ],
    [
      'volumes that are not for pods',
      pod([safe()], {
        volumes: [
          { name: 'v', nfs: { server: 's', path: '/' } },
          { name: 'w', hostPath: { path: '/' } },
        ],
      }),
      'restricted volume types (volumes "v", "w" use restricted volume types "hostPath", "nfs")',
    ],
    [
      'root',
      pod([safe({ runAsNonRoot: false })], { securityContext: { runAsNonRoot: false } }),
      'runAsNonRoot != true (pod and container "a" must not set securityContext.runAsNonRoot=false)',
    ],
    ['user 0', pod([safe({ runAsUser: 0 })]), 'runAsUser=0 (container "a" must not set runAsUser=0)'],
    [
      'no seccomp for a container',
      pod([safe({ seccompProfile: { type: 'Unconfined' } })], { securityContext: { seccompProfile: { type: 'RuntimeDefault' } } }),
      'seccompProfile (container "a" must not set securityContext.seccompProfile.type to "Unconfined")',
    ],
    [
      'what the baseline forbids',
      pod([safe({ privileged: true })], { hostPID: true }),
      'host namespaces (hostPID=true), privileged (container "a" must not set securityContext.privileged=true)',
    ],
  ]
  it.each(bad)('forbids %s', (_name, what, text) => expect(judge('restricted', LATEST, what)).toBe(text))
})

describe('a version', () => {
  const sysctl = (name: string) => pod([safe()], { securityContext: { sysctls: [{ name, value: '1' }] } })
  const ownUsers = (what: Container['securityContext']) => pod([safe(what)], { hostUsers: false })
  const windows = pod([safe({ allowPrivilegeEscalation: true, capabilities: {}, seccompProfile: undefined as never })], {
    os: { name: 'windows' },
  })
  const cases: [name: string, level: Level, pod: ReturnType<typeof pod>, forbidden: number[], allowed: number[]][] = [
    ['ip_local_reserved_ports', 'baseline', sysctl('net.ipv4.ip_local_reserved_ports'), [0, 26], [27, 36]],
    ['tcp_fin_timeout', 'baseline', sysctl('net.ipv4.tcp_fin_timeout'), [0, 28], [29, LATEST]],
    ['tcp_rmem', 'baseline', sysctl('net.ipv4.tcp_rmem'), [31], [32, LATEST]],
    ['container_engine_t', 'baseline', pod([secured({ seLinuxOptions: { type: 'container_engine_t' } })]), [0, 30], [31, LATEST]],
    ['hosts of probes', 'baseline', pod([{ readinessProbe: { tcpSocket: { host: 'h', port: 1 } } }]), [34, LATEST], [0, 33]],
    ['an unmasked /proc of own users', 'baseline', ownUsers({ procMount: 'Unmasked' }), [0, 34], [35, LATEST]],
    ['an unmasked /proc of own users, restricted', 'restricted', ownUsers({ procMount: 'Unmasked' }), [0, 34, 35, LATEST], []],
    ['root among own users', 'restricted', ownUsers({ runAsNonRoot: false, runAsUser: 0 }), [0, 34], [35, LATEST]],
    ['user 0', 'restricted', pod([safe({ runAsUser: 0 })]), [23, LATEST], [0, 22]],
    [
      'the annotation for seccomp',
      'baseline',
      pod([{}], {}, { 'seccomp.security.alpha.kubernetes.io/pod': 'unconfined' }),
      [0, 18],
      [19, LATEST],
    ],
    ['a Windows pod', 'restricted', windows, [8, 24], [25, LATEST]],
    ['privilege escalation', 'restricted', pod([safe({ allowPrivilegeEscalation: true })]), [8, LATEST], [0, 7]],
    ['all capabilities', 'restricted', pod([safe({ capabilities: {} })]), [22, LATEST], [0, 21]],
  ]
  it.each(cases)('knows when there was a rule for %s', (_name, level, what, forbidden, allowed) => {
    const found = (minor: number) => reasonsOf(violations({ level, minor }, what)) !== ''
    expect(forbidden.filter((minor) => !found(minor))).toEqual([])
    expect(allowed.filter(found)).toEqual([])
  })

  it('judged annotations before there were fields', () => {
    const annotations = {
      'container.seccomp.security.alpha.kubernetes.io/a': 'unconfined',
      'seccomp.security.alpha.kubernetes.io/pod': 'x',
    }
    expect(judge('baseline', 18, pod([{}], {}, annotations))).toBe(
      'seccompProfile (forbidden annotations container.seccomp.security.alpha.kubernetes.io/a="unconfined", seccomp.security.alpha.kubernetes.io/pod="x")',
    )
  })
})
