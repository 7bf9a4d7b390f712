/** Pod: its life on a node, as the API tells it. */
import assert from 'node:assert/strict'
import { isIP } from 'node:net'
import { node, pod, service } from '../../../../electron/api/kinds.gen.ts'
import type { Pod } from '../../../../electron/api/core/v1/types.gen.ts'
import type { BehaviourContext, Behaviours } from '../../lib/behaviour.ts'
import { environmentOf } from '../../lib/environment.ts'
import { createPod, finishPod, isReady, shell, STAY, startPod, untilPod } from '../../lib/running.ts'
import { startWatch } from '../../lib/watching.ts'
import { assertHas, mark, uids, untilGone, updateObject } from '../../lib/whole-api.ts'

/** All that a WebSocket says on one channel, or without channels. */
async function messagesOf(
  { client, signal }: BehaviourContext,
  path: string,
  query: Record<string, string | string[]>,
  protocol: string,
  channel?: number,
) {
  await using socket = await client.websocket({ path, query, protocols: [protocol], signal })
  assert.equal(socket.protocol, protocol)
  const parts: Uint8Array[] = []
  for await (const message of socket.messages) {
    if (channel === undefined) parts.push(message)
    else if (message[0] === channel) parts.push(message.subarray(1))
  }
  return Buffer.concat(parts).toString()
}

const pathOf = ({ metadata }: Pod, subresource: string) => `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}/${subresource}`

/** A change of the pod's spec, and the generation that comes of it on both sides. */
async function observed(context: BehaviourContext, made: Pod, generation: number): Promise<void> {
  const seen = await context.client.get(pod, made.metadata)
  assert.equal(seen.metadata.generation, generation)
  await untilPod(context, made, `status.observedGeneration is ${generation}`, ({ status }) => status.observedGeneration === generation)
}

export const behaviours: Behaviours = {
  async 'pod-active-deadline-seconds'(context) {
    const { client, namespace } = context
    const { labels, selector } = mark(context)
    const made = await startPod(context, { containers: [shell(context, STAY)] }, { labels })
    assert.deepEqual(uids((await client.list(pod, { namespace, labelSelector: selector })).items), uids([made]))
    await updateObject(context, pod, made.metadata, ({ spec }) => void (spec.activeDeadlineSeconds = 5))
    const ended = await untilPod(context, made, 'has failed', ({ status }) => status.phase === 'Failed')
    assert.equal(ended.status.reason, 'DeadlineExceeded')
  },

  async 'pod-and-status-lifecycle'(context) {
    const { client, namespace, signal } = context
    const { labels, selector } = mark(context)
    await using watching = await startWatch(client, pod, { namespace, labelSelector: selector, signal })
    const made = await createPod(context, { containers: [shell(context, STAY)] }, { labels })
    await watching.until('ADDED')
    await watching.until('MODIFIED', isReady)

    const body = { metadata: { labels: { patched: 'true' } }, spec: { containers: [{ name: 'main', image: 'flotilla.local/demo:1' }] } }
    await client.patch(pod, made.metadata, { type: 'strategic', body })
    const patched = await watching.until('MODIFIED', ({ metadata }) => metadata.labels?.['patched'] === 'true')
    assert.equal(patched.spec.containers[0]?.image, 'flotilla.local/demo:1')
    await untilPod(context, made, 'runs the other image', (seen) => isReady(seen) && seen.status.containerStatuses?.[0]?.restartCount === 1)

    const status = { subresource: 'status' }
    assertHas(await client.get(pod, made.metadata, status), {
      kind: 'Pod',
      metadata: { uid: made.metadata.uid },
      status: { phase: 'Running' },
    })
    const type = 'example.com/Conformance'
    await updateObject(
      context,
      pod,
      made.metadata,
      (object) => void (object.status.conditions = [...(object.status.conditions ?? []), { type, status: 'True' }]),
      'status',
    )
    await watching.until('MODIFIED', (seen) => seen.status.conditions?.some((condition) => String(condition.type) === type) ?? false)

    await client.delete(pod, made.metadata)
    assert.equal((await watching.until('DELETED')).metadata.uid, made.metadata.uid)
    await untilGone(context, pod, made.metadata)
  },

  async 'pod-exec-websocket'(context) {
    const running = await startPod(context, { containers: [shell(context, STAY)] })
    const query = { command: ['/bin/sh', '-c', 'echo remote execution test'], stdout: 'true', stderr: 'true', container: 'main' }
    assert.equal(await messagesOf(context, pathOf(running, 'exec'), query, 'v5.channel.k8s.io', 1), 'remote execution test\n')
    assert.equal(await messagesOf(context, pathOf(running, 'exec'), query, 'v4.channel.k8s.io', 1), 'remote execution test\n')
  },

  async 'pod-logs-websocket'(context) {
    const ended = await finishPod(context, { containers: [shell(context, 'echo container is alive')] })
    assert.equal(await messagesOf(context, pathOf(ended, 'log'), { container: 'main' }, 'binary.k8s.io'), 'container is alive\n')
  },

  async 'pod-generation-500-updates'(context) {
    const made = await startPod(context, { activeDeadlineSeconds: 5000, containers: [shell(context, STAY)] })
    assert.equal(made.metadata.generation, 1)
    for (let i = 1; i <= 499; i++)
      await updateObject(context, pod, made.metadata, ({ spec }) => void (spec.activeDeadlineSeconds = 5000 - i))
    await observed(context, made, 500)
  },

  async 'pod-generation-graceful-delete'(context) {
    const { client, namespace } = context
    const name = context.unique('graceful')
    context.afterwards(() => client.delete(pod, { name, namespace }, { gracePeriodSeconds: 0 }))
    // It takes no notice of being told to end, so that it is seen while it does.
    const containers = [shell(context, 'trap "" TERM; while true; do sleep 1; done')]
    const made = await client.create(pod, { metadata: { name, namespace, generation: 100 }, spec: { containers } })
    assert.equal(made.metadata.generation, 1)
    await untilPod(context, made, 'is ready', isReady)
    await client.delete(pod, made.metadata, { gracePeriodSeconds: 60 })
    const ending = await client.get(pod, made.metadata)
    assert.ok(ending.metadata.deletionTimestamp)
    assert.equal(ending.metadata.generation, 2)
  },

  async 'pod-generation-updates'(context) {
    const { client } = context
    const made = await startPod(context, { containers: [shell(context, STAY)] })
    const change = (work: (object: Pod) => void) => updateObject(context, pod, made.metadata, work)
    await observed(context, made, 1)
    await change(() => undefined)
    await observed(context, made, 1)
    await change(({ metadata }) => void (metadata.annotations = { changed: 'true' }))
    await observed(context, made, 1)
    await change(({ metadata }) => void (metadata.generation = 77))
    await observed(context, made, 1)
    await change(({ spec }) => void spec.tolerations?.push({ key: 'test', operator: 'Exists', effect: 'NoSchedule' }))
    await observed(context, made, 2)
    await change(({ spec }) => void (spec.activeDeadlineSeconds = 3000))
    await observed(context, made, 3)
    await client.patch(pod, made.metadata, {
      type: 'strategic',
      body: { spec: { containers: [{ name: 'main', image: 'flotilla.local/demo:1' }] } },
    })
    await observed(context, made, 4)
  },

  async 'pod-host-ip'(context) {
    const { spec, status } = await startPod(context, { containers: [shell(context, STAY)] })
    assert.ok(isIP(status.hostIP ?? ''), status.hostIP)
    const { status: host } = await context.client.get(node, { name: spec.nodeName ?? '' })
    assert.ok(host.addresses?.some(({ type, address }) => type === 'InternalIP' && address === status.hostIP))
  },

  async 'pod-service-env-vars'(context) {
    const { client, namespace } = context
    const ports = [{ port: 8765, targetPort: 8080 }]
    const { spec } = await client.create(service, {
      metadata: { name: 'fooservice', namespace },
      spec: { selector: { app: 'foo' }, ports },
    })
    const host = spec.clusterIP ?? ''
    const seen = await environmentOf(context, {})
    const wanted = {
      FOOSERVICE_SERVICE_HOST: host,
      FOOSERVICE_SERVICE_PORT: '8765',
      FOOSERVICE_PORT: `tcp://${host}:8765`,
      FOOSERVICE_PORT_8765_TCP: `tcp://${host}:8765`,
      FOOSERVICE_PORT_8765_TCP_PORT: '8765',
      FOOSERVICE_PORT_8765_TCP_PROTO: 'tcp',
      FOOSERVICE_PORT_8765_TCP_ADDR: host,
    }
    assert.ok(isIP(host))
    for (const [name, value] of Object.entries(wanted)) assert.equal(seen.get(name), value, name)
  },

  async 'pod-submit-and-remove'(context) {
    const { client, namespace, signal } = context
    const { labels, selector } = mark(context)
    const list = async () => (await client.list(pod, { namespace, labelSelector: selector })).items
    assert.equal((await list()).length, 0)
    await using watching = await startWatch(client, pod, { namespace, labelSelector: selector, signal })
    const made = await createPod(context, { terminationGracePeriodSeconds: 10, containers: [shell(context, STAY)] }, { labels })
    assert.deepEqual(uids(await list()), uids([made]))
    assert.equal((await watching.until('ADDED')).metadata.uid, made.metadata.uid)
    await watching.until('MODIFIED', ({ status }) => status.phase === 'Running')
    await client.delete(pod, made.metadata)
    const deleted = await watching.until('DELETED')
    assert.equal(deleted.metadata.uid, made.metadata.uid)
    assert.ok(watching.seen.some(({ type, object }) => type === 'MODIFIED' && object.metadata.deletionTimestamp))
    assert.ok(deleted.metadata.deletionTimestamp)
    assert.deepEqual(await list(), [])
  },
}
