/** ConfigMap: as volumes and as environment. */
import assert from 'node:assert/strict'
import { configMap } from '../../../../electron/api/kinds.gen.ts'
import type { Behaviours } from '../../lib/behaviour.ts'
import { environmentOf } from '../../lib/environment.ts'
import { assertFile, mountAll, readFiles } from '../../lib/files.ts'
import * as keyed from '../../lib/keyed.ts'

const { configMaps } = keyed

export const behaviours: Behaviours = {
  'configmap-volume': keyed.asVolume(configMaps),
  'configmap-volume-defaultmode': keyed.withDefaultMode(configMaps),
  'configmap-volume-mapped': keyed.mapped(configMaps),
  'configmap-volume-mapped-item-mode': keyed.mappedItemMode(configMaps),
  'configmap-volume-nonroot': keyed.nonRoot(configMaps),
  'configmap-volume-mapped-nonroot': keyed.mappedNonRoot(configMaps),
  'configmap-multiple-volumes': keyed.multipleVolumes(configMaps),
  'configmap-volume-update': keyed.update(configMaps),
  'configmap-volume-optional-updates': keyed.optionalUpdates(configMaps),

  async 'configmap-volume-binary-data'(context) {
    const bytes = Buffer.from([0xde, 0xca, 0xfe, 0, 0xba, 0xd0, 0xfe, 0xff, 10, 13])
    const at = { name: 'binary', namespace: context.namespace }
    await context.client.create(configMap, { metadata: at, data: { text: 'words' }, binaryData: { bytes: bytes.toString('base64') } })
    const { volumes, volumeMounts } = mountAll([{ configMap: { name: at.name } }])
    const files = await readFiles(context, ['/volume/text', '/volume/bytes'], { volumes: volumes ?? [] }, { volumeMounts })
    assertFile(files, '/volume/text', 'words')
    assert.deepEqual(files.get('/volume/bytes')?.content, bytes)
  },

  async 'configmap-env-var'(context) {
    await configMaps.set(context, 'settings', { 'data-1': 'value-1' })
    const seen = await environmentOf(context, {
      env: [{ name: 'SEEN', valueFrom: { configMapKeyRef: { name: 'settings', key: 'data-1' } } }],
    })
    assert.equal(seen.get('SEEN'), 'value-1')
  },

  async 'configmap-envfrom'(context) {
    await configMaps.set(context, 'settings', { data_1: 'value-1', data_2: 'value-2', data_3: 'value-3' })
    const configMapRef = { name: 'settings' }
    const seen = await environmentOf(context, { envFrom: [{ configMapRef }, { prefix: 'p_', configMapRef }] })
    for (const i of [1, 2, 3]) for (const prefix of ['', 'p_']) assert.equal(seen.get(`${prefix}data_${i}`), `value-${i}`)
  },

  async 'configmap-env-prefixes'(context) {
    await configMaps.set(context, 'settings', { data_1: 'value-1', data_2: 'value-2', data_3: 'value-3' })
    const prefixes = ['', '1-', '$_-', 'ABC_', '#@!']
    const seen = await environmentOf(context, { envFrom: prefixes.map((prefix) => ({ prefix, configMapRef: { name: 'settings' } })) })
    for (const i of [1, 2, 3]) for (const prefix of prefixes) assert.equal(seen.get(`${prefix}data_${i}`), `value-${i}`, prefix)
  },
}
