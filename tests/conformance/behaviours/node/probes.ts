/** Probe: what liveness and readiness probes do to containers. */
import assert from 'node:assert/strict'
import type { Container, Probe } from '../../../../electron/api/core/v1/types.gen.ts'
import { pod } from '../../../../electron/api/kinds.gen.ts'
import type { Draft } from '../../../../electron/api/meta/v1/object.ts'
import type { Behaviour, BehaviourContext, Behaviours } from '../../lib/behaviour.ts'
import { containerStatus, createPod, holds, isReady, serving, shell, STAY, untilPod } from '../../lib/running.ts'

type Make = (context: BehaviourContext, livenessProbe: Draft<Probe>) => Draft<Container>

/** Probed each second, and not believed when it failed once. */
const often = (probe: Draft<Probe>): Draft<Probe> => ({ periodSeconds: 1, failureThreshold: 1, timeoutSeconds: 5, ...probe })

const exec = often({ exec: { command: ['cat', '/tmp/health'] } })
const http = (path: string) => often({ httpGet: { path, port: 8080 }, initialDelaySeconds: 5 })

const health: Make = (context, livenessProbe) => shell(context, `echo ok > /tmp/health; ${STAY}`, { livenessProbe })
const shortHealth: Make = (context, livenessProbe) =>
  shell(context, `echo ok > /tmp/health; sleep 10; rm /tmp/health; ${STAY}`, { livenessProbe })
const server: Make = (context, livenessProbe) => serving(context, { GRPC_PORT: '5000' }, { livenessProbe })
const failingServer: Make = (context, livenessProbe) => serving(context, { UNHEALTHY_AFTER: '10' }, { livenessProbe })

function restarts(make: Make, probe: Draft<Probe>): Behaviour {
  return async (context) => {
    const made = await createPod(context, { containers: [make(context, probe)] })
    await untilPod(
      context,
      made,
      'runs',
      ({ status }) => status.phase === 'Running' && containerStatus({ status } as typeof made).restartCount === 0,
    )
    const restarted = await untilPod(context, made, 'is restarted', (seen) => containerStatus(seen).restartCount >= 1)
    assert.equal(containerStatus(restarted).restartCount, 1)
    assert.equal(restarted.metadata.uid, made.metadata.uid)
  }
}

function staysUp(make: Make, probe: Draft<Probe>, seconds: number): Behaviour {
  return async (context) => {
    const { client } = context
    const made = await createPod(context, { containers: [make(context, probe)] })
    await untilPod(context, made, 'runs', ({ status }) => status.phase === 'Running')
    await holds(context, seconds, async () => {
      const { status } = await client.get(pod, made.metadata)
      assert.equal(status.phase, 'Running')
      assert.equal(status.containerStatuses?.[0]?.restartCount, 0)
      assert.ok(status.containerStatuses[0].state?.running)
    })
  }
}

export const behaviours: Behaviours = {
  'liveness-exec-no-restart': staysUp(health, exec, 15),
  'liveness-exec-restart': restarts(shortHealth, { ...exec, initialDelaySeconds: 3 }),
  'liveness-http-no-restart': staysUp(server, http('/healthz'), 15),
  'liveness-http-restart': restarts(failingServer, http('/healthz')),
  'liveness-tcp-no-restart': staysUp(failingServer, often({ tcpSocket: { port: 8080 }, initialDelaySeconds: 5 }), 25),
  'liveness-grpc-no-restart': staysUp(server, often({ grpc: { port: 5000 }, initialDelaySeconds: 5 }), 15),
  'liveness-grpc-restart': restarts(server, often({ grpc: { port: 2333 }, initialDelaySeconds: 3 })),

  async 'liveness-restart-count-grows'(context) {
    const made = await createPod(context, { containers: [failingServer(context, http('/healthz'))] })
    let last = 0
    await untilPod(context, made, 'is restarted five times', ({ status }) => {
      const count = status.containerStatuses?.[0]?.restartCount ?? 0
      assert.ok(count >= last, `restartCount went from ${last} down to ${count}`)
      last = count
      return count >= 5
    })
  },

  async 'readiness-always-failing'(context) {
    const readinessProbe = { exec: { command: ['false'] }, periodSeconds: 1 }
    const made = await createPod(context, { containers: [shell(context, STAY, { readinessProbe })] })
    await untilPod(context, made, 'runs', ({ status }) => status.phase === 'Running')
    await holds(context, 15, async () => {
      const seen = await context.client.get(pod, made.metadata)
      assert.ok(!isReady(seen))
      assert.equal(containerStatus(seen).restartCount, 0)
      assert.equal(containerStatus(seen).ready, false)
    })
  },

  async 'readiness-initial-delay'(context) {
    const delay = 15
    const readinessProbe = { exec: { command: ['true'] }, periodSeconds: 1, initialDelaySeconds: delay }
    const made = await createPod(context, { containers: [shell(context, STAY, { readinessProbe })] })
    const ready = await untilPod(context, made, 'is ready', isReady)
    const started = Date.parse(String(containerStatus(ready).state?.running?.startedAt))
    const readySince = Date.parse(String(ready.status.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime))
    // Both are told in whole seconds.
    assert.ok(readySince - started >= (delay - 1) * 1000, `ready ${(readySince - started) / 1000} s after its start`)
    assert.equal(containerStatus(ready).restartCount, 0)
  },
}
