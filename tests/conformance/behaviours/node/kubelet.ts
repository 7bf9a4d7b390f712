/** Kubelet, EphemeralContainer, ImageVolume and RuntimeClass. */
import assert from 'node:assert/strict'
import { pod, runtimeClass } from '../../../../electron/api/kinds.gen.ts'
import type { EphemeralContainer } from '../../../../electron/api/core/v1/types.gen.ts'
import type { Draft } from '../../../../electron/api/meta/v1/object.ts'
import { eventually, ignoreMissing, type BehaviourContext, type Behaviours } from '../../lib/behaviour.ts'
import { EXISTING_FILE } from '../../lib/image.ts'
import { configMaps } from '../../lib/keyed.ts'
import { createPod, execIn, finishPod, logOf, outputOf, shell, STAY, startPod, untilPod } from '../../lib/running.ts'
import { startWatch } from '../../lib/watching.ts'
import { untilGone } from '../../lib/whole-api.ts'

const MANAGED = '# Kubernetes-managed hosts file.'

/** Adds an ephemeral container by a patch of the subresource. */
const addEphemeral = (
  { client }: BehaviourContext,
  at: { name: string; namespace?: string | undefined },
  container: Draft<EphemeralContainer>,
) =>
  client.patch(pod, at, { type: 'strategic', body: { spec: { ephemeralContainers: [container] } } }, { subresource: 'ephemeralcontainers' })

const isRunning = (name: string) => (seen: { status: { ephemeralContainerStatuses?: { name: string; state?: { running?: object } }[] } }) =>
  seen.status.ephemeralContainerStatuses?.some((status) => status.name === name && status.state?.running !== undefined)

export const behaviours: Behaviours = {
  async 'container-output-in-logs'(context) {
    const containers = [shell(context, `echo "to stdout: ü"; echo "to stderr: é" >&2; printf 'without an end'`)]
    const ended = await finishPod(context, { containers })
    const log = await logOf(context, ended)
    assert.ok(log.includes('to stdout: ü\n') && log.includes('to stderr: é\n') && log.includes('without an end'), log)
    assert.equal(log.length, 'to stdout: ü\nto stderr: é\nwithout an end'.length)
  },

  async 'failing-pod-terminated-reason'(context) {
    const { client, namespace, signal } = context
    const name = context.unique('failing')
    await using watching = await startWatch(client, pod, { namespace, fieldSelector: `metadata.name=${name}`, signal })
    await createPod(context, { containers: [{ name: 'main', image: context.image, command: ['false'] }] }, { name })
    const terminated = (seen: { status: { containerStatuses?: { state?: { terminated?: object } }[] } }) =>
      seen.status.containerStatuses?.[0]?.state?.terminated !== undefined
    const { status } = await watching.until('MODIFIED', terminated)
    assert.equal(status.containerStatuses?.length, 1)
    assert.ok(status.containerStatuses[0]?.state?.terminated?.reason)
  },

  async 'failing-pod-delete'(context) {
    const made = await createPod(context, { containers: [{ name: 'main', image: context.image, command: ['false'] }] })
    await untilPod(context, made, 'has failed', ({ status }) => {
      const [container] = status.containerStatuses ?? []
      return (container?.state?.terminated ?? container?.lastState?.terminated)?.exitCode === 1
    })
    await context.client.delete(pod, made.metadata)
    await untilGone(context, pod, made.metadata)
  },

  async 'kubelet-managed-etc-hosts'(context) {
    await configMaps.set(context, 'hosts', { hosts: '192.0.2.1 of-its-own\n' })
    const ownMount = [{ name: 'hosts', mountPath: '/etc/hosts', subPath: 'hosts' }]
    const plain = await startPod(context, {
      volumes: [{ name: 'hosts', ...configMaps.volume('hosts') }],
      containers: [
        shell(context, STAY, { name: 'first' }),
        shell(context, STAY, { name: 'second' }),
        shell(context, STAY, { name: 'own', volumeMounts: ownMount }),
      ],
    })
    for (const name of ['first', 'second']) {
      const hosts = await execIn(context, plain, 'cat /etc/hosts', name)
      assert.ok(hosts.includes(MANAGED), hosts)
      assert.ok(hosts.includes(`${plain.status.podIP}\t${plain.metadata.name}`), hosts)
    }
    assert.equal(await execIn(context, plain, 'cat /etc/hosts', 'own'), '192.0.2.1 of-its-own\n')

    const original = [{ name: 'original', mountPath: '/original' }]
    const onHost = await startPod(context, {
      hostNetwork: true,
      volumes: [
        { name: 'original', hostPath: { path: '/etc/hosts', type: 'File' } },
        { name: 'hosts', ...configMaps.volume('hosts') },
      ],
      containers: [
        shell(context, STAY, { name: 'first', volumeMounts: original }),
        shell(context, STAY, { name: 'own', volumeMounts: ownMount }),
      ],
    })
    const hosts = await execIn(context, onHost, 'cat /etc/hosts', 'first')
    assert.ok(!hosts.includes(MANAGED), hosts)
    assert.ok(hosts.endsWith(await execIn(context, onHost, 'cat /original', 'first')), hosts)
    assert.equal(await execIn(context, onHost, 'cat /etc/hosts', 'own'), '192.0.2.1 of-its-own\n')
  },

  async 'pod-hostaliases'(context) {
    const hostAliases = [{ ip: '123.45.67.89', hostnames: ['foo', 'bar'] }]
    assert.match(await outputOf(context, { hostAliases, containers: [shell(context, 'cat /etc/hosts')] }), /^123\.45\.67\.89\tfoo\tbar$/m)
  },

  async 'ephemeral-container-start'(context) {
    const running = await startPod(context, { containers: [shell(context, STAY)] })
    const script = `echo polo; ${STAY}`
    await addEphemeral(context, running.metadata, { name: 'debugger', image: context.image, command: ['/bin/sh', '-c', script] })
    await untilPod(context, running, 'runs its ephemeral container', isRunning('debugger'))
    await eventually(context.signal, 'its output is read', async () => (await logOf(context, running, '?container=debugger')) === 'polo\n')
  },

  async 'ephemeral-container-update'(context) {
    const { client } = context
    const running = await startPod(context, { containers: [shell(context, STAY)] })
    const command = ['/bin/sh', '-c', STAY]
    await addEphemeral(context, running.metadata, { name: 'first', image: context.image, command })
    const seen = structuredClone(await untilPod(context, running, 'runs its first ephemeral container', isRunning('first')))
    assert.equal(seen.spec.ephemeralContainers?.length, 1)
    seen.spec.ephemeralContainers.push({ ...seen.spec.ephemeralContainers[0], name: 'second' } as EphemeralContainer)
    await client.update(pod, seen, { subresource: 'ephemeralcontainers' })
    const both = await untilPod(context, running, 'runs both', (now) => isRunning('first')(now) && isRunning('second')(now))
    assert.deepEqual(
      both.spec.ephemeralContainers?.map(({ name }) => name),
      ['first', 'second'],
    )
  },

  async 'image-volume-pull-always'(context) {
    const volumes = [{ name: 'image', image: { reference: context.image, pullPolicy: 'Always' as const } }]
    const containers = [shell(context, STAY, { volumeMounts: [{ name: 'image', mountPath: '/image' }] })]
    const signal = AbortSignal.any([context.signal, AbortSignal.timeout(60_000)])
    const running = await startPod({ ...context, signal }, { volumes, containers })
    assert.equal(running.status.phase, 'Running')
    assert.equal(await execIn(context, running, `cat /image${EXISTING_FILE.path}`), EXISTING_FILE.content)
  },

  async 'runtimeclass-no-overhead'(context) {
    const { client } = context
    const name = context.unique('class')
    context.afterwards(() => client.delete(runtimeClass, { name }).catch(ignoreMissing))
    await client.create(runtimeClass, { metadata: { name }, handler: 'none' })
    const made = await createPod(context, { runtimeClassName: name, containers: [shell(context, STAY)] })
    assert.deepEqual(made.spec.overhead ?? {}, {})
    await untilPod(context, made, 'is scheduled', ({ spec }) => Boolean(spec.nodeName))
  },

  async 'runtimeclass-overhead'(context) {
    const { client } = context
    const name = context.unique('class')
    context.afterwards(() => client.delete(runtimeClass, { name }).catch(ignoreMissing))
    const podFixed = { cpu: '10m', memory: '1Mi' }
    await client.create(runtimeClass, { metadata: { name }, handler: 'none', overhead: { podFixed } })
    const made = await createPod(context, { runtimeClassName: name, containers: [shell(context, STAY)] })
    assert.deepEqual(made.spec.overhead, podFixed)
    await untilPod(
      context,
      made,
      'is scheduled',
      ({ spec, status }) =>
        Boolean(spec.nodeName) && status.conditions?.some(({ type, status: value }) => type === 'PodScheduled' && value === 'True'),
    )
  },
}
