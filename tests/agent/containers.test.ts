import { connect } from 'node:net'
import { randomInt } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { pod as podKind } from '../../electron/api/core/v1/pod.ts'
import type { Pod } from '../../electron/api/core/v1/types.gen.ts'
import { containerStatus, startCluster } from './cluster.ts'
import type { TestCluster } from './cluster.ts'
import { BUSYBOX_IMAGE, busyboxArchive } from './lab.ts'

const main = (pod: Pod, name = 'main') => containerStatus(pod.status.containerStatuses, name)
const isReady = (pod: Pod) => pod.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')
const sh = (script: string) => ({ command: ['sh', '-c', script] })
const FOREVER = 'trap exit TERM; while true; do sleep 0.1; done'
const at = (name: string) => ({ namespace: 'default', name })

describe('containers on a real runtime', () => {
  let cluster: TestCluster

  beforeAll(async () => {
    cluster = await startCluster()
  })
  afterAll(() => cluster?.[Symbol.asyncDispose]())

  it('runs as the user, in the groups and with the rights that were asked for', async () => {
    await cluster.createPod('rights', {
      securityContext: { runAsUser: 1000, runAsGroup: 3000, supplementalGroups: [4000], fsGroup: 5000 },
      containers: [
        {
          name: 'main',
          ...sh(FOREVER),
          workingDir: '/tmp',
          securityContext: {
            readOnlyRootFilesystem: true,
            allowPrivilegeEscalation: false,
            capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] },
          },
        },
        { name: 'root', ...sh(FOREVER), securityContext: { runAsUser: 0, privileged: true } },
      ],
    })
    await cluster.until('rights', isReady)
    expect(await cluster.sh('rights', 'id; pwd')).toBe('uid=1000(user) gid=3000 groups=3000,4000,5000\n/tmp\n')
    expect(await cluster.sh('rights', 'grep -E "CapEff|CapBnd|NoNewPrivs" /proc/self/status')).toMatch(
      /CapEff:\s+0{16}\nCapBnd:\s+0{13}400\nNoNewPrivs:\s+1/,
    )
    await expect(cluster.sh('rights', 'touch /x')).rejects.toThrow(/Read-only/)
    expect(await cluster.sh('rights', 'mount -t tmpfs t /tmp && id -u', 'root')).toBe('0\n')
    await cluster.deletePod('rights', 1)
  })

  it('limits what a container may take', async () => {
    await cluster.createPod('limited', {
      containers: [
        { name: 'main', ...sh(FOREVER), resources: { limits: { cpu: '200m', memory: '32Mi' }, requests: { cpu: '100m', memory: '16Mi' } } },
      ],
    })
    const pod = await cluster.until('limited', isReady)
    const group = `${cluster.lab.cgroupRoot}/kubepods/burstable/pod${pod.metadata.uid}`
    const { readFile } = await import('node:fs/promises')
    const id = main(pod).containerID?.slice('containerd://'.length)
    const value = async (path: string) => (await readFile(`/sys/fs/cgroup/${path}`, 'utf8')).trim()
    expect(await value(`cpu${group}/${id}/cpu.cfs_quota_us`)).toBe('20000')
    expect(await value(`cpu${group}/${id}/cpu.shares`)).toBe('102')
    expect(await value(`memory${group}/${id}/memory.limit_in_bytes`)).toBe(String(32 << 20))
    expect(await value(`memory${group}/memory.limit_in_bytes`)).toBe(String(32 << 20))
    expect(Number(await cluster.sh('limited', 'cat /proc/1/oom_score_adj'))).toBeGreaterThan(900)
    expect(main(pod)).toMatchObject({
      allocatedResources: { cpu: '100m', memory: '16Mi' },
      resources: { limits: { cpu: '200m', memory: '32Mi' } },
    })

    await cluster.client.patch(
      podKind,
      at('limited'),
      {
        type: 'strategic',
        body: {
          spec: {
            containers: [
              { name: 'main', resources: { limits: { cpu: '400m', memory: '48Mi' }, requests: { cpu: '150m', memory: '20Mi' } } },
            ],
          },
        },
      },
      { subresource: 'resize' },
    )
    const resized = await cluster.until('limited', (p) => main(p).resources?.limits?.['cpu'] === '400m')
    expect(main(resized)).toMatchObject({
      restartCount: 0,
      containerID: main(pod).containerID,
      allocatedResources: { cpu: '150m', memory: '20Mi' },
    })
    await expect.poll(() => value(`cpu${group}/${id}/cpu.cfs_quota_us`)).toBe('40000')
    await expect.poll(() => value(`memory${group}/${id}/memory.limit_in_bytes`)).toBe(String(48 << 20))
    await expect.poll(() => value(`cpu${group}/cpu.cfs_quota_us`)).toBe('40000')
    await cluster.until('limited', (p) => !p.status.conditions?.some(({ type }) => type.startsWith('PodResize')))

    await cluster.client.patch(
      podKind,
      at('limited'),
      {
        type: 'strategic',
        body: { spec: { containers: [{ name: 'main', resources: { limits: { cpu: '900' }, requests: { cpu: '900' } } }] } },
      },
      { subresource: 'resize' },
    )
    const pending = await cluster.until('limited', (p) => p.status.conditions?.some(({ type }) => type === 'PodResizePending'))
    expect(pending.status.conditions?.find(({ type }) => type === 'PodResizePending')).toMatchObject({
      status: 'True',
      reason: 'Infeasible',
    })
    expect(main(pending).resources?.limits?.['cpu']).toBe('400m')
    await cluster.deletePod('limited', 1)
    await cluster.untilGone('limited')
    await expect.poll(() => value(`memory${group}/memory.limit_in_bytes`).catch(() => 'gone'), { timeout: 5000 }).toBe('gone')
  })

  it('uses what the image says where the pod says nothing', async () => {
    const entry = ['/bin/sh', '-c', 'echo "$0 $*"; id -u; exec sleep 1000', 'entry']
    await cluster.lab.importImage(
      await busyboxArchive('flotilla.local/entry:1', { entrypoint: entry, user: '1000', env: ['PATH=/bin', 'FROM=image'] }),
    )
    await cluster.createPod('image', {
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'main', image: 'flotilla.local/entry:1', args: ['a', '$(FROM)', '$(SET)'], env: [{ name: 'SET', value: 'x' }] }],
    })
    const pod = await cluster.until('image', isReady)
    const { readFile } = await import('node:fs/promises')
    const log = `${cluster.config.logDir}/pods/default_image_${pod.metadata.uid}/main/0.log`
    await expect.poll(() => readFile(log, 'utf8')).toMatch(/ stdout F entry a \$\(FROM\) x\n.* stdout F 1000\n/)
    await cluster.deletePod('image')
  })

  it('keeps its containers apart, or lets them see each other, as the pod says', async () => {
    await cluster.createPod('shared', {
      shareProcessNamespace: true,
      hostname: 'my-name',
      subdomain: 'group',
      hostAliases: [{ ip: '10.1.2.3', hostnames: ['other', 'another'] }],
      dnsPolicy: 'None',
      dnsConfig: { nameservers: ['1.1.1.1'], searches: ['example.org'], options: [{ name: 'ndots', value: '2' }] },
      containers: [
        { name: 'main', ...sh(FOREVER) },
        { name: 'other', command: ['sleep', '12345'] },
      ],
    })
    const pod = await cluster.until('shared', isReady)
    expect(await cluster.sh('shared', 'ps')).toMatch(/\/pause[^]*sleep 12345/)
    expect(await cluster.sh('shared', 'hostname; tail -4 /etc/hosts')).toBe(
      `my-name\n${pod.status.podIP}\tmy-name.group.default.svc.cluster.local\tmy-name\n\n# Entries added by HostAliases.\n10.1.2.3\tother\tanother\n`,
    )
    expect(await cluster.sh('shared', 'cat /etc/resolv.conf')).toBe('search example.org\nnameserver 1.1.1.1\noptions ndots:2\n')
    await cluster.createPod('host', { hostNetwork: true, hostPID: true, containers: [{ name: 'main', ...sh(FOREVER) }] })
    const host = await cluster.until('host', isReady)
    expect(host.status.podIP).toBe('127.0.0.1')
    const { hostname } = await import('node:os')
    expect(await cluster.sh('host', 'hostname; head -1 /etc/hosts; cat /proc/1/comm')).toMatch(
      new RegExp(`^${hostname()}\n# Kubernetes-managed hosts file \\(host network\\).\n`),
    )
    await cluster.deletePod('shared', 1)
    await cluster.deletePod('host', 1)
  })

  it('adds a container for looking into a running pod', async () => {
    await cluster.createPod('debugged', { containers: [{ name: 'main', command: ['sleep', '54321'] }] })
    await cluster.until('debugged', isReady)
    const debug = {
      name: 'debug',
      image: BUSYBOX_IMAGE,
      ...sh('ps > /dev/termination-log'),
      targetContainerName: 'main',
      terminationMessagePath: '/dev/termination-log',
    }
    await cluster.client.patch(
      podKind,
      at('debugged'),
      { type: 'strategic', body: { spec: { ephemeralContainers: [debug] } } },
      { subresource: 'ephemeralcontainers' },
    )
    const pod = await cluster.until('debugged', (p) => containerStatus(p.status.ephemeralContainerStatuses, 'debug').state.terminated)
    expect(containerStatus(pod.status.ephemeralContainerStatuses, 'debug').state.terminated).toMatchObject({
      exitCode: 0,
      message: expect.stringContaining('sleep 54321'),
    })
    expect(isReady(pod)).toBe(true)
    await cluster.deletePod('debugged', 1)
  })

  it('leads ports of the node into pods', async () => {
    const hostPort = randomInt(20_000, 30_000)
    await cluster.createPod('port', {
      containers: [
        {
          name: 'main',
          ...sh('mkdir /www; echo hello > /www/index.html; exec httpd -f -p 80 -h /www'),
          ports: [{ containerPort: 80, hostPort }],
        },
      ],
    })
    await cluster.until('port', isReady)
    const answer = await new Promise<string>((resolve, reject) => {
      let text = ''
      const socket = connect(hostPort, '127.0.0.1', () => socket.end('GET / HTTP/1.0\r\n\r\n'))
      socket
        .on('data', (part) => (text += part.toString()))
        .on('end', () => resolve(text))
        .on('error', reject)
    })
    expect(answer).toMatch(/hello\n$/)
    await cluster.deletePod('port', 1)
    await cluster.untilGone('port')
  })

  it('starts a new container when the image of a running pod is changed', async () => {
    await cluster.lab.importImage(await busyboxArchive('flotilla.local/busybox:2'))
    await cluster.createPod('changing', { terminationGracePeriodSeconds: 1, containers: [{ name: 'main', ...sh(FOREVER) }] })
    await cluster.until('changing', isReady)
    await cluster.client.patch(podKind, at('changing'), {
      type: 'strategic',
      body: { spec: { containers: [{ name: 'main', image: 'flotilla.local/busybox:2' }] } },
    })
    const pod = await cluster.until('changing', (p) => main(p).restartCount === 1 && isReady(p))
    expect(pod.status.observedGeneration).toBe(2)
    expect(await cluster.events('changing')).toContain('Killing: Container main definition changed, will be restarted')
    await cluster.deletePod('changing', 1)
  })
})
