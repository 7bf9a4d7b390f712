/** The rows that are the same for ConfigMaps and Secrets, as volumes of their own and as sources of a projected one. */
import assert from 'node:assert/strict'
import { configMap, secret } from '../../../electron/api/kinds.gen.ts'
import type { KeyToPath, PodSecurityContext, Volume } from '../../../electron/api/core/v1/types.gen.ts'
import type { Draft } from '../../../electron/api/meta/v1/object.ts'
import { eventually, type Behaviour, type BehaviourContext } from './behaviour.ts'
import { assertFile, DEFAULT_MODE, mountAll, readFiles } from './files.ts'
import { execIn, shell, startPod, STAY } from './running.ts'

interface VolumeOptions {
  readonly items?: Draft<KeyToPath>[]
  readonly defaultMode?: number
  readonly optional?: boolean
}

/** Keys with text, kept by an object and shown as files. */
export interface Keyed {
  readonly set: (context: BehaviourContext, name: string, data: Record<string, string>, namespace?: string) => Promise<void>
  readonly change: (context: BehaviourContext, name: string, data: Record<string, string>) => Promise<void>
  readonly remove: (context: BehaviourContext, name: string) => Promise<unknown>
  readonly volume: (name: string, options?: VolumeOptions) => Draft<Volume>
}

const encoded = (data: Record<string, string>) =>
  Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]))

export const configMaps: Keyed = {
  async set({ client, namespace }, name, data, elsewhere = namespace) {
    await client.create(configMap, { metadata: { name, namespace: elsewhere }, data })
  },
  async change({ client, namespace }, name, data) {
    await client.patch(configMap, { name, namespace }, { type: 'merge', body: { data } })
  },
  remove: ({ client, namespace }, name) => client.delete(configMap, { name, namespace }),
  volume: (name, options) => ({ configMap: { name, ...options } }),
}

export const secrets: Keyed = {
  async set({ client, namespace }, name, data, elsewhere = namespace) {
    await client.create(secret, { metadata: { name, namespace: elsewhere }, data: encoded(data) })
  },
  async change({ client, namespace }, name, data) {
    await client.patch(secret, { name, namespace }, { type: 'merge', body: { data: encoded(data) } })
  },
  remove: ({ client, namespace }, name) => client.delete(secret, { name, namespace }),
  volume: (secretName, options) => ({ secret: { secretName, ...options } }),
}

export const projectedConfigMaps: Keyed = {
  ...configMaps,
  volume: (name, { defaultMode, ...options } = {}) => projected({ configMap: { name, ...options } }, defaultMode),
}

export const projectedSecrets: Keyed = {
  ...secrets,
  volume: (name, { defaultMode, ...options } = {}) => projected({ secret: { name, ...options } }, defaultMode),
}

function projected(source: object, defaultMode: number | undefined): Draft<Volume> {
  return { projected: { sources: [source], ...(defaultMode === undefined ? {} : { defaultMode }) } }
}

const DATA = { 'data-1': 'value-1', 'data-2': 'value-2\nand a second line\n', 'data-3': 'value-3' }
const MAPPED = { key: 'data-2', path: 'path/to/data-2' }
const NOT_ROOT = { runAsUser: 1000 }

/** As one volume whose files all have `mode`. */
export function asVolume(
  keyed: Keyed,
  options: VolumeOptions = {},
  mode = DEFAULT_MODE,
  securityContext: Draft<PodSecurityContext> = {},
): Behaviour {
  return async (context) => {
    const name = context.unique('keyed')
    await keyed.set(context, name, DATA)
    const { volumes, volumeMounts } = mountAll([keyed.volume(name, options)])
    const wanted: Record<string, string> = options.items
      ? Object.fromEntries(options.items.map(({ key, path }) => [path ?? '', DATA[key as keyof typeof DATA]]))
      : DATA
    const paths = Object.keys(wanted).map((path) => `/volume/${path}`)
    const files = await readFiles(context, paths, { volumes: volumes ?? [], securityContext }, { volumeMounts })
    for (const [path, content] of Object.entries(wanted)) assertFile(files, `/volume/${path}`, content, mode)
  }
}

export const withDefaultMode = (keyed: Keyed) => asVolume(keyed, { defaultMode: 0o400 }, '-r--------')
export const mapped = (keyed: Keyed) => asVolume(keyed, { items: [MAPPED] })
export const mappedItemMode = (keyed: Keyed) => asVolume(keyed, { items: [{ ...MAPPED, mode: 0o400 }] }, '-r--------')
export const nonRoot = (keyed: Keyed) => asVolume(keyed, {}, DEFAULT_MODE, NOT_ROOT)
export const mappedNonRoot = (keyed: Keyed) => asVolume(keyed, { items: [MAPPED] }, DEFAULT_MODE, NOT_ROOT)
export const nonRootFsGroup = (keyed: Keyed) => asVolume(keyed, { defaultMode: 0o440 }, '-r--r-----', { ...NOT_ROOT, fsGroup: 1001 })

/** One object in two volumes of a pod. */
export function multipleVolumes(keyed: Keyed): Behaviour {
  return async (context) => {
    const name = context.unique('keyed')
    await keyed.set(context, name, DATA)
    const { volumes, volumeMounts } = mountAll([keyed.volume(name), keyed.volume(name)])
    const paths = volumeMounts.map(({ mountPath }) => `${mountPath}/data-1`)
    const files = await readFiles(context, paths, { volumes: volumes ?? [] }, { volumeMounts })
    assert.equal(files.size, 2)
    for (const path of paths) assertFile(files, path, DATA['data-1'], DEFAULT_MODE)
  }
}

/** A running pod sees changed content. */
export function update(keyed: Keyed): Behaviour {
  return async (context) => {
    const name = context.unique('keyed')
    await keyed.set(context, name, { 'data-1': 'value-1' })
    const { volumes, volumeMounts } = mountAll([keyed.volume(name)])
    const running = await startPod(context, { volumes: volumes ?? [], containers: [shell(context, STAY, { volumeMounts })] })
    assert.equal(await execIn(context, running, 'cat /volume/data-1'), 'value-1')
    await keyed.change(context, name, { 'data-1': 'value-2' })
    await eventually(
      context.signal,
      'the changed content is seen',
      async () => (await execIn(context, running, 'cat /volume/data-1')) === 'value-2',
    )
  }
}

/** Three optional objects: one made, one changed and one deleted while the pod runs. */
export function optionalUpdates(keyed: Keyed): Behaviour {
  return async (context) => {
    const [made, changed, deleted] = [context.unique('made'), context.unique('changed'), context.unique('deleted')]
    await keyed.set(context, changed, { 'data-1': 'value-1' })
    await keyed.set(context, deleted, { 'data-1': 'value-1' })
    const { volumes, volumeMounts } = mountAll([made, changed, deleted].map((name) => keyed.volume(name, { optional: true })))
    const running = await startPod(context, { volumes: volumes ?? [], containers: [shell(context, STAY, { volumeMounts })] })
    const look = 'for i in 1 2 3; do cat /volume-$i/data-1 2>/dev/null || echo -n none; echo; done'
    assert.equal(await execIn(context, running, look), 'none\nvalue-1\nvalue-1\n')
    await keyed.remove(context, deleted)
    await keyed.change(context, changed, { 'data-1': 'value-2' })
    await keyed.set(context, made, { 'data-1': 'value-3' })
    let seen = ''
    await eventually(context.signal, 'all three changes are seen', async () => {
      seen = await execIn(context, running, look)
      return seen === 'value-3\nvalue-2\nnone\n'
    }).catch((error: unknown) => {
      throw new Error(`what was seen last: ${seen}`, { cause: error })
    })
  }
}

/** One key as a file of its own. */
export function subPath(keyed: Keyed, mountPath = '/file'): Behaviour {
  return async (context) => {
    const name = context.unique('keyed')
    await keyed.set(context, name, DATA)
    const volumes = [{ name: 'volume', ...keyed.volume(name) }]
    const volumeMounts = [{ name: 'volume', mountPath, subPath: 'data-1' }]
    assertFile(await readFiles(context, [mountPath], { volumes }, { volumeMounts }), mountPath, DATA['data-1'])
  }
}
