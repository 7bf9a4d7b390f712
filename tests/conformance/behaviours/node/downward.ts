/** The downward API: as volumes, as sources of projected ones, and as environment. */
import assert from 'node:assert/strict'
import { isIP } from 'node:net'
import { node, pod } from '../../../../electron/api/kinds.gen.ts'
import type { DownwardAPIVolumeFile, Volume } from '../../../../electron/api/core/v1/types.gen.ts'
import type { Draft } from '../../../../electron/api/meta/v1/object.ts'
import { toUnits } from '../../../../electron/api/values/quantity.ts'
import { eventually, type Behaviour, type BehaviourContext, type Behaviours } from '../../lib/behaviour.ts'
import { assertFile, DEFAULT_MODE, mountAll, readFiles } from '../../lib/files.ts'
import { environment, execIn, finishPod, logOf, shell, startPod, STAY } from '../../lib/running.ts'

type Item = Draft<DownwardAPIVolumeFile>
/** A volume with these files. */
type Shape = (items: Item[], defaultMode?: number) => Draft<Volume>

const own: Shape = (items, defaultMode) => ({ downwardAPI: { items, ...(defaultMode === undefined ? {} : { defaultMode }) } })
const projected: Shape = (items, defaultMode) => ({
  projected: { sources: [{ downwardAPI: { items } }], ...(defaultMode === undefined ? {} : { defaultMode }) },
})

const RESOURCES = { limits: { cpu: '1250m', memory: '64Mi' }, requests: { cpu: '25m', memory: '32Mi' } }
const POD_NAME: Item = { path: 'podname', fieldRef: { fieldPath: 'metadata.name' } }

function podName(shape: Shape, item: Draft<DownwardAPIVolumeFile> = {}, defaultMode?: number, mode = DEFAULT_MODE): Behaviour {
  return async (context) => {
    const name = context.unique('named')
    const { volumes, volumeMounts } = mountAll([shape([{ ...POD_NAME, ...item }], defaultMode)])
    const files = await readFiles(context, ['/volume/podname'], { volumes: volumes ?? [] }, { volumeMounts }, { name })
    assertFile(files, '/volume/podname', name, mode)
  }
}

/** The file of a resource of a container with RESOURCES. */
function resource(shape: Shape, which: string, divisor: string, wanted: string): Behaviour {
  return async (context) => {
    const { volumes, volumeMounts } = mountAll([
      shape([{ path: 'file', resourceFieldRef: { containerName: 'main', resource: which, divisor } }]),
    ])
    const files = await readFiles(context, ['/volume/file'], { volumes: volumes ?? [] }, { volumeMounts, resources: RESOURCES })
    assertFile(files, '/volume/file', wanted)
  }
}

/** What nodes have to give, in whole cores or bytes. */
async function allocatable({ client }: BehaviourContext, which: 'cpu' | 'memory', nodeName: string): Promise<string> {
  const { status } = await client.get(node, { name: nodeName })
  return String(toUnits(status.allocatable?.[which] ?? ''))
}

function unlimited(shape: Shape, which: 'cpu' | 'memory'): Behaviour {
  return async (context) => {
    const { volumes, volumeMounts } = mountAll([
      shape([{ path: 'file', resourceFieldRef: { containerName: 'main', resource: `limits.${which}` } }]),
    ])
    const name = context.unique('unlimited')
    const files = await readFiles(context, ['/volume/file'], { volumes: volumes ?? [] }, { volumeMounts }, { name })
    const { spec } = await context.client.get(pod, { name, namespace: context.namespace })
    assertFile(files, '/volume/file', await allocatable(context, which, spec.nodeName ?? ''))
  }
}

/** Labels or annotations, and one more while the pod runs. */
function metadataUpdate(shape: Shape, field: 'labels' | 'annotations'): Behaviour {
  return async (context) => {
    const { volumes, volumeMounts } = mountAll([shape([{ path: 'file', fieldRef: { fieldPath: `metadata.${field}` } }])])
    const spec = { volumes: volumes ?? [], containers: [shell(context, STAY, { volumeMounts })] }
    const running = await startPod(context, spec, { [field]: { first: 'value-1', second: 'value-2' } })
    const lines = async () => (await execIn(context, running, 'cat /volume/file')).split('\n')
    const before = await lines()
    for (const line of ['first="value-1"', 'second="value-2"']) assert.ok(before.includes(line), before.join('\n'))
    assert.ok(!before.some((line) => line.startsWith('third')), before.join('\n'))
    const body = { metadata: { [field]: { second: 'changed', third: 'value-3' } } }
    await context.client.patch(pod, running.metadata, { type: 'merge', body })
    await eventually(context.signal, 'the change is seen', async () => {
      const after = await lines()
      return ['first="value-1"', 'second="changed"', 'third="value-3"'].every((line) => after.includes(line))
    })
  }
}

/** Runs a pod with an env entry for each of these; its end and the values. */
async function envOf(context: BehaviourContext, sources: Record<string, object>, more: object = {}) {
  const env = Object.entries(sources).map(([name, valueFrom]) => ({ name, valueFrom }))
  const ended = await finishPod(context, { containers: [shell(context, 'env', { env, ...more })] })
  assert.equal(ended.status.phase, 'Succeeded')
  return { ended, seen: environment(await logOf(context, ended)) }
}

const field = (fieldPath: string) => ({ fieldRef: { fieldPath } })
const amount = (which: string) => ({ resourceFieldRef: { resource: which } })

export const behaviours: Behaviours = {
  'downward-volume-podname': podName(own),
  'downward-volume-defaultmode': podName(own, {}, 0o400, '-r--------'),
  'downward-volume-item-mode': podName(own, { mode: 0o400 }, undefined, '-r--------'),
  'downward-volume-cpu-limit': resource(own, 'limits.cpu', '1', '2'),
  'downward-volume-cpu-request': resource(own, 'requests.cpu', '1m', '25'),
  'downward-volume-memory-limit': resource(own, 'limits.memory', '1', '67108864'),
  'downward-volume-memory-request': resource(own, 'requests.memory', '1Mi', '32'),
  'downward-volume-default-cpu': unlimited(own, 'cpu'),
  'downward-volume-default-memory': unlimited(own, 'memory'),
  'downward-volume-labels-update': metadataUpdate(own, 'labels'),
  'downward-volume-annotations-update': metadataUpdate(own, 'annotations'),
  'projected-downward-podname': podName(projected),
  'projected-downward-defaultmode': podName(projected, {}, 0o400, '-r--------'),
  'projected-downward-item-mode': podName(projected, { mode: 0o400 }, undefined, '-r--------'),
  'projected-downward-cpu-limit': resource(projected, 'limits.cpu', '1', '2'),
  'projected-downward-cpu-request': resource(projected, 'requests.cpu', '1m', '25'),
  'projected-downward-memory-limit': resource(projected, 'limits.memory', '1', '67108864'),
  'projected-downward-memory-request': resource(projected, 'requests.memory', '1Mi', '32'),
  'projected-downward-default-cpu': unlimited(projected, 'cpu'),
  'projected-downward-default-memory': unlimited(projected, 'memory'),
  'projected-downward-labels-update': metadataUpdate(projected, 'labels'),
  'projected-downward-annotations-update': metadataUpdate(projected, 'annotations'),

  async 'downward-env-default-allocatable'(context) {
    const { ended, seen } = await envOf(context, { CPU: amount('limits.cpu'), MEMORY: amount('limits.memory') })
    assert.equal(seen.get('CPU'), await allocatable(context, 'cpu', ended.spec.nodeName ?? ''))
    assert.equal(seen.get('MEMORY'), await allocatable(context, 'memory', ended.spec.nodeName ?? ''))
    assert.ok(Number(seen.get('CPU')) > 0 && Number(seen.get('MEMORY')) > 0)
  },

  async 'downward-env-host-ip'(context) {
    const { ended, seen } = await envOf(context, { HOST_IP: field('status.hostIP') })
    assert.ok(isIP(seen.get('HOST_IP') ?? ''), seen.get('HOST_IP'))
    const { status } = await context.client.get(node, { name: ended.spec.nodeName ?? '' })
    assert.ok(status.addresses?.some(({ type, address }) => type === 'InternalIP' && address === seen.get('HOST_IP')))
  },

  async 'downward-env-host-ips'(context) {
    const { ended, seen } = await envOf(context, { HOST_IPS: field('status.hostIPs') })
    const { status } = await context.client.get(node, { name: ended.spec.nodeName ?? '' })
    const addresses = status.addresses?.filter(({ type }) => type === 'InternalIP').map(({ address }) => address) ?? []
    const ips = (seen.get('HOST_IPS') ?? '').split(',')
    for (const ip of ips) assert.ok(isIP(ip) && addresses.includes(ip), seen.get('HOST_IPS'))
  },

  async 'downward-env-name-namespace-ip'(context) {
    const { ended, seen } = await envOf(context, {
      ...{ NAME: field('metadata.name'), NAMESPACE: field('metadata.namespace'), IP: field('status.podIP') },
    })
    assert.equal(seen.get('NAME'), ended.metadata.name)
    assert.equal(seen.get('NAMESPACE'), context.namespace)
    assert.ok(isIP(seen.get('IP') ?? ''), seen.get('IP'))
    assert.equal(seen.get('IP'), ended.status.podIP)
  },

  async 'downward-env-pod-uid'(context) {
    const { ended, seen } = await envOf(context, { POD_UID: field('metadata.uid') })
    assert.match(seen.get('POD_UID') ?? '', /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    assert.equal(seen.get('POD_UID'), ended.metadata.uid)
  },

  async 'downward-env-resources'(context) {
    const sources = {
      ...{ CPU_LIMIT: amount('limits.cpu'), MEMORY_LIMIT: amount('limits.memory') },
      ...{ CPU_REQUEST: amount('requests.cpu'), MEMORY_REQUEST: amount('requests.memory') },
    }
    const { seen } = await envOf(context, sources, { resources: RESOURCES })
    const wanted = { CPU_LIMIT: '2', MEMORY_LIMIT: '67108864', CPU_REQUEST: '1', MEMORY_REQUEST: '33554432' }
    for (const [name, value] of Object.entries(wanted)) assert.equal(seen.get(name), value, name)
  },
}
