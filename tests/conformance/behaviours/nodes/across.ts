/** What needs more than one node: pods that reach each other, node ports, and a pod on each node. */
import assert from 'node:assert/strict'
import { daemonSet, node, pod, service } from '../../../../electron/api/kinds.gen.ts'
import type { Node, Pod, Service } from '../../../../electron/api/core/v1/types.gen.ts'
import { eventually, type Behaviour, type BehaviourContext, type Behaviours } from '../../lib/behaviour.ts'
import { createPod, execIn, isReady, serving, shell, STAY, startPod, untilPod } from '../../lib/running.ts'
import { updateObject } from '../../lib/whole-api.ts'
import { podsOf } from '../../lib/workloads.ts'

const LABELS = { app: 'across' }
const MISSING = 'flotilla.local/missing:1'

/** Nodes on which a plain pod could be placed. */
async function openNodes({ client }: BehaviourContext): Promise<Node[]> {
  const { items } = await client.list(node)
  return items.filter(
    ({ spec, status }) =>
      !spec.unschedulable &&
      !spec.taints?.some(({ effect }) => effect !== 'PreferNoSchedule') &&
      status.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True'),
  )
}

const addressOf = ({ status }: Node): string => status.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? ''
const onNode = ({ metadata }: Node) => ({ nodeSelector: { 'kubernetes.io/hostname': metadata.name } })

/** A server on each node, named after it. */
function serverOnEach(context: BehaviourContext, nodes: readonly Node[]): Promise<Pod[]> {
  return Promise.all(
    nodes.map((at) =>
      startPod(
        context,
        { ...onNode(at), containers: [serving(context, { UDP_PORT: '8081' })] },
        { labels: LABELS, name: `on-${at.metadata.name}` },
      ),
    ),
  )
}

const http = (context: BehaviourContext, from: Pod, at: string) => execIn(context, from, `fetch http://${at}/hostname`).catch(() => '')
function udp(context: BehaviourContext, from: Pod, address: string): Promise<string> {
  const program = `const s = require('dgram').createSocket('udp4'); s.on('message', (m) => { console.log(String(m)); process.exit(0) }); s.send('hello', 8081, '${address}'); setTimeout(() => process.exit(1), 2000)`
  return execIn(context, from, `node -e "${program}"`).catch(() => '')
}

/** From a pod, or from the first node itself, to a pod on every node: each answers with its own name. */
function reaches(hostNetwork: boolean, ask: (context: BehaviourContext, from: Pod, address: string) => Promise<string>): Behaviour {
  return async (context) => {
    const nodes = await openNodes(context)
    assert.ok(nodes.length >= 2)
    const servers = await serverOnEach(context, nodes)
    const from = await startPod(context, { hostNetwork, containers: [shell(context, STAY)] })
    const seen = new Set<string>()
    for (const { metadata, status } of servers) {
      const name = await eventually(context.signal, `${metadata.name} answers`, async () =>
        (await ask(context, from, status.podIP ?? '')).trim(),
      )
      assert.equal(name, hostnameOf(metadata.name))
      seen.add(name)
    }
    assert.equal(seen.size, servers.length)
  }
}

const hostnameOf = (name = '') => name.slice(0, 63)

async function nodePortService(context: BehaviourContext, more: object = {}): Promise<{ made: Service; nodePort: number }> {
  const { client, namespace } = context
  const made = await client.create(service, {
    metadata: { name: 'across', namespace },
    spec: { type: 'NodePort', selector: LABELS, ports: [{ port: 80, targetPort: 8080, protocol: 'TCP' }], ...more },
  })
  const nodePort = made.spec.ports?.[0]?.nodePort
  assert.ok(nodePort)
  return { made, nodePort }
}

const startServer = (context: BehaviourContext) => startPod(context, { containers: [serving(context)] }, { labels: LABELS })
const startClient = (context: BehaviourContext) => startPod(context, { containers: [shell(context, STAY)] })

async function untilAnswers(context: BehaviourContext, from: Pod, at: string): Promise<void> {
  await eventually(context.signal, `${at} answers`, () => http(context, from, at))
}

/** Who answers a client's requests in a row. */
async function answering(context: BehaviourContext, from: Pod, at: string, times = 15): Promise<Set<string>> {
  const output = await execIn(context, from, `for i in $(seq ${times}); do fetch http://${at}/hostname; echo; done`)
  return new Set(output.split('\n').filter(Boolean))
}

const setAffinity = (context: BehaviourContext, { metadata }: Service, sessionAffinity: 'ClientIP' | 'None') =>
  updateObject(context, service, metadata, ({ spec }) => {
    spec.sessionAffinity = sessionAffinity
    delete spec.sessionAffinityConfig
  })

async function runDaemonSet(context: BehaviourContext): Promise<Pod[]> {
  const { client, namespace } = context
  await client.create(daemonSet, {
    metadata: { name: 'across', namespace },
    spec: {
      selector: { matchLabels: LABELS },
      template: { metadata: { labels: LABELS }, spec: { terminationGracePeriodSeconds: 1, containers: [shell(context, STAY)] } },
    },
  })
  return untilOnEach(context)
}

/** One ready pod on each node, and no other. */
async function untilOnEach(context: BehaviourContext): Promise<Pod[]> {
  const names = (await openNodes(context)).map(({ metadata }) => metadata.name).sort()
  return eventually(context.signal, `a daemon runs on each of ${names.join(', ')}`, async () => {
    const pods = await podsOf(context, LABELS)
    const placed = pods.map(({ spec }) => spec.nodeName ?? '').sort()
    return pods.every(isReady) && placed.join() === names.join() ? pods : null
  })
}

const setImage = (context: BehaviourContext, image: string) =>
  updateObject(context, daemonSet, { name: 'across', namespace: context.namespace }, ({ spec }) => {
    const [container] = spec.template.spec?.containers ?? []
    assert.ok(container)
    container.image = image
  })

export const behaviours: Behaviours = {
  async 'two-untainted-nodes'(context) {
    assert.ok((await openNodes(context)).length >= 2)
  },

  'pod-to-pod-http': reaches(false, (context, from, address) => http(context, from, `${address}:8080`)),
  'pod-to-pod-udp': reaches(false, udp),
  'node-to-pod-http': reaches(true, (context, from, address) => http(context, from, `${address}:8080`)),
  'node-to-pod-udp': reaches(true, udp),

  async 'service-nodeport-reachable'(context) {
    const [from] = await Promise.all([startClient(context), startServer(context)])
    const { made, nodePort } = await nodePortService(context)
    await untilAnswers(context, from, 'across')
    await untilAnswers(context, from, made.spec.clusterIP ?? '')
    for (const { status } of await openNodes(context)) {
      const addresses = status.addresses?.filter(({ type }) => type === 'InternalIP' || type === 'ExternalIP') ?? []
      assert.ok(addresses.length)
      for (const { address } of addresses) await untilAnswers(context, from, `${address}:${nodePort}`)
    }
  },

  async 'service-externalname-to-nodeport'(context) {
    const { client, namespace } = context
    const [from] = await Promise.all([startClient(context), startServer(context)])
    const made = await client.create(service, {
      metadata: { name: 'across', namespace },
      spec: { type: 'ExternalName', externalName: 'foo.example.com' },
    })
    assert.ok(!made.spec.clusterIP)
    const { spec } = await updateObject(context, service, made.metadata, (changed) => {
      changed.spec.type = 'NodePort'
      delete changed.spec.externalName
      changed.spec.selector = LABELS
      changed.spec.ports = [{ port: 80, targetPort: 8080, protocol: 'TCP' }]
    })
    const nodePort = spec.ports?.[0]?.nodePort
    assert.ok(spec.clusterIP)
    assert.ok(nodePort)
    await untilAnswers(context, from, 'across')
    await untilAnswers(context, from, spec.clusterIP)
    for (const each of await openNodes(context)) await untilAnswers(context, from, `${addressOf(each)}:${nodePort}`)
  },

  async 'service-affinity-nodeport'(context) {
    const [from] = await Promise.all([startClient(context), ...Array.from({ length: 3 }, () => startServer(context))])
    const { made, nodePort } = await nodePortService(context, { sessionAffinity: 'ClientIP' })
    const [first] = await openNodes(context)
    assert.ok(first)
    for (const at of ['across', made.spec.clusterIP ?? '', `${addressOf(first)}:${nodePort}`]) {
      await untilAnswers(context, from, at)
      assert.equal((await answering(context, from, at)).size, 1, `${at} is answered by one pod`)
    }
  },

  async 'service-affinity-switch-nodeport'(context) {
    const { signal } = context
    const [from] = await Promise.all([startClient(context), ...Array.from({ length: 3 }, () => startServer(context))])
    const { made, nodePort } = await nodePortService(context, { sessionAffinity: 'ClientIP' })
    const [first] = await openNodes(context)
    assert.ok(first)
    const at = `${addressOf(first)}:${nodePort}`
    await untilAnswers(context, from, at)
    assert.equal((await answering(context, from, at)).size, 1)
    await setAffinity(context, made, 'None')
    await eventually(signal, 'several pods answer', async () => (await answering(context, from, at)).size > 1)
    await setAffinity(context, made, 'ClientIP')
    await eventually(signal, 'one pod answers', async () => (await answering(context, from, at)).size === 1)
    assert.equal((await answering(context, from, at)).size, 1)
  },

  async 'daemonset-run-and-replace'(context) {
    const { client, signal } = context
    const [lost] = await runDaemonSet(context)
    assert.ok(lost)
    await client.delete(pod, lost.metadata)
    await eventually(signal, 'another runs in its place', async () => {
      const pods = await untilOnEach(context)
      const there = pods.find(({ spec }) => spec.nodeName === lost.spec.nodeName)
      return there && there.metadata.uid !== lost.metadata.uid
    })
  },

  async 'daemonset-rollback'(context) {
    const { signal } = context
    const before = await runDaemonSet(context)
    // Pods that are not known to be available are replaced first, however many they are.
    await eventually(signal, 'all are known to be available', async () => {
      const { status } = await context.client.get(daemonSet, { name: 'across', namespace: context.namespace })
      return status.numberAvailable === before.length
    })
    await setImage(context, MISSING)
    const bad = await eventually(signal, 'a pod has the bad image', async () =>
      (await podsOf(context, LABELS)).find(({ spec }) => spec.containers[0]?.image === MISSING),
    )
    // One at a time may be away, so that the update goes no further.
    const untouched = (await podsOf(context, LABELS)).filter(({ metadata }) => metadata.uid !== bad.metadata.uid)
    assert.ok(untouched.length === before.length - 1)
    await setImage(context, context.image)
    const after = await eventually(signal, 'all have the old image', async () => {
      const pods = await untilOnEach(context)
      return pods.every(({ spec }) => spec.containers[0]?.image === context.image) && pods
    })
    for (const { metadata } of untouched) {
      const kept = after.find((one) => one.metadata.uid === metadata.uid)
      assert.ok(kept, `${metadata.name} was kept`)
      assert.equal(kept.status.containerStatuses?.[0]?.restartCount, 0)
    }
  },

  async 'scheduler-nodeselector-match'(context) {
    const { client } = context
    const chosen = (await openNodes(context)).at(-1)
    assert.ok(chosen)
    const label = context.unique('chosen')
    const setLabel = (value: string | null) =>
      client.patch(node, { name: chosen.metadata.name }, { type: 'merge', body: { metadata: { labels: { [label]: value } } } })
    await setLabel('v')
    context.afterwards(() => setLabel(null))
    const made = await createPod(context, { nodeSelector: { [label]: 'v' }, containers: [shell(context, STAY)] })
    const placed = await untilPod(context, made, 'is placed', ({ spec }) => spec.nodeName !== undefined && spec.nodeName !== '')
    assert.equal(placed.spec.nodeName, chosen.metadata.name)
  },
}
