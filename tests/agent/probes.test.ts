import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Pod } from '../../electron/api/core/v1/types.gen.ts'
import { containerStatus, startCluster } from './cluster.ts'
import type { TestCluster } from './cluster.ts'

const main = (pod: Pod) => containerStatus(pod.status.containerStatuses, 'main')
const isReady = (pod: Pod) => pod.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')
const sh = (script: string) => ({ command: ['sh', '-c', script] })
const FOREVER = 'trap exit TERM; while true; do sleep 0.1; done'

describe('probes on a real runtime', () => {
  let cluster: TestCluster

  beforeAll(async () => {
    cluster = await startCluster()
  })
  afterAll(() => cluster?.[Symbol.asyncDispose]())

  it('restarts a container whose liveness command fails, and tells why', async () => {
    await cluster.createPod('live', {
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          name: 'main',
          ...sh(`touch /tmp/healthy; sleep 1; rm /tmp/healthy; ${FOREVER}`),
          livenessProbe: { exec: { command: ['cat', '/tmp/healthy'] }, periodSeconds: 1, failureThreshold: 2 },
        },
      ],
    })
    const pod = await cluster.until('live', (p) => main(p).restartCount === 1)
    expect(main(pod).lastState.terminated?.exitCode).toBeDefined()
    const told = await cluster.events('live')
    expect(told).toContainEqual(expect.stringMatching(/^Unhealthy: Liveness probe failed: cat: can't open '\/tmp\/healthy'/))
    expect(told).toContain('Killing: Container main failed liveness probe, will be restarted')
  })

  it('takes a container out of service while its readiness probe over HTTP fails, without restarting it', async () => {
    await cluster.createPod('ready', {
      containers: [
        {
          name: 'main',
          ...sh('mkdir /www; echo ok > /www/up; exec httpd -f -p 8080 -h /www'),
          ports: [{ name: 'web', containerPort: 8080 }],
          readinessProbe: { httpGet: { path: '/up', port: 'web' }, periodSeconds: 1, failureThreshold: 1 },
        },
      ],
    })
    await cluster.until('ready', isReady)
    await cluster.sh('ready', 'rm /www/up')
    const pod = await cluster.until('ready', (p) => !isReady(p))
    expect(pod.status.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({
      reason: 'ContainersNotReady',
      message: 'containers with unready status: [main]',
    })
    await cluster.sh('ready', 'echo ok > /www/up')
    expect(main(await cluster.until('ready', isReady)).restartCount).toBe(0)
    expect(await cluster.events('ready')).toContain('Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 404')
  })

  it('holds other probes back until the startup probe has succeeded', async () => {
    await cluster.createPod('startup', {
      containers: [
        {
          name: 'main',
          ...sh(`sleep 2; touch /tmp/up; ${FOREVER}`),
          startupProbe: { exec: { command: ['cat', '/tmp/up'] }, periodSeconds: 1, failureThreshold: 20 },
          livenessProbe: { exec: { command: ['cat', '/tmp/up'] }, periodSeconds: 1, failureThreshold: 1 },
        },
      ],
    })
    const before = await cluster.until('startup', (p) => p.status.phase === 'Running')
    expect(main(before)).toMatchObject({ started: false, ready: false })
    const after = await cluster.until('startup', isReady)
    expect(main(after)).toMatchObject({ started: true, restartCount: 0 })
  })

  it('looks at TCP ports, and says how the connection failed', async () => {
    await cluster.createPod('tcp', {
      containers: [
        {
          name: 'main',
          ...sh(`sleep 2; while true; do nc -l -p 7000 < /dev/null; done & ${FOREVER}`),
          readinessProbe: { tcpSocket: { port: 7000 }, periodSeconds: 1 },
        },
      ],
    })
    const pod = await cluster.until('tcp', isReady)
    expect(await cluster.events('tcp')).toContain(
      `Unhealthy: Readiness probe failed: dial tcp ${pod.status.podIP}:7000: connect: connection refused`,
    )
  })

  it('counts a command that takes too long as failed', async () => {
    await cluster.createPod('slow-probe', {
      containers: [
        { name: 'main', ...sh(FOREVER), readinessProbe: { exec: { command: ['sleep', '10'] }, timeoutSeconds: 1, periodSeconds: 1 } },
      ],
    })
    await expect
      .poll(() => cluster.events('slow-probe'), { timeout: 10_000 })
      .toContain('Unhealthy: Readiness probe failed: command timed out: "sleep 10" timed out after 1s')
  })

  it('runs hooks after the start and before the end, and restarts what its hook fails for', async () => {
    await cluster.createPod('hooked', {
      containers: [
        {
          name: 'main',
          ...sh(FOREVER),
          lifecycle: { postStart: { exec: { command: ['sh', '-c', 'echo started > /tmp/hook'] } }, preStop: { sleep: { seconds: 1 } } },
        },
      ],
    })
    await cluster.until('hooked', isReady)
    expect(await cluster.sh('hooked', 'cat /tmp/hook')).toBe('started\n')
    const began = Date.now()
    await cluster.deletePod('hooked')
    await cluster.untilGone('hooked')
    expect(Date.now() - began).toBeGreaterThan(1000)
    await cluster.createPod('unhooked', {
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'main', ...sh(FOREVER), lifecycle: { postStart: { exec: { command: ['false'] } } } }],
    })
    await cluster.until(
      'unhooked',
      (p) => main(p).state.waiting?.reason === 'PostStartHookError' || main(p).state.waiting?.reason === 'CrashLoopBackOff',
    )
    expect(await cluster.events('unhooked')).toContain('FailedPostStartHook: PostStartHook failed')
  })
})
