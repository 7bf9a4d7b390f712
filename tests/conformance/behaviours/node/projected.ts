/** Projected volumes of ConfigMaps and Secrets, alone and combined. */
import assert from 'node:assert/strict'
import type { Behaviours } from '../../lib/behaviour.ts'
import { assertFile, DEFAULT_MODE, mountAll, readFiles } from '../../lib/files.ts'
import * as keyed from '../../lib/keyed.ts'

const { projectedConfigMaps, projectedSecrets } = keyed

export const behaviours: Behaviours = {
  'projected-configmap': keyed.asVolume(projectedConfigMaps),
  'projected-configmap-defaultmode': keyed.withDefaultMode(projectedConfigMaps),
  'projected-configmap-mapped': keyed.mapped(projectedConfigMaps),
  'projected-configmap-mapped-item-mode': keyed.mappedItemMode(projectedConfigMaps),
  'projected-configmap-mapped-nonroot': keyed.mappedNonRoot(projectedConfigMaps),
  'projected-configmap-multiple-volumes': keyed.multipleVolumes(projectedConfigMaps),
  'projected-configmap-nonroot': keyed.nonRoot(projectedConfigMaps),
  'projected-configmap-optional-updates': keyed.optionalUpdates(projectedConfigMaps),
  'projected-configmap-update': keyed.update(projectedConfigMaps),
  'projected-secret': keyed.asVolume(projectedSecrets),
  'projected-secret-defaultmode': keyed.withDefaultMode(projectedSecrets),
  'projected-secret-mapped': keyed.mapped(projectedSecrets),
  'projected-secret-mapped-item-mode': keyed.mappedItemMode(projectedSecrets),
  'projected-secret-multiple-volumes': keyed.multipleVolumes(projectedSecrets),
  'projected-secret-nonroot-fsgroup': keyed.nonRootFsGroup(projectedSecrets),
  'projected-secret-optional-updates': keyed.optionalUpdates(projectedSecrets),

  async 'projected-combined'(context) {
    await keyed.configMaps.set(context, 'config', { 'config-data': 'of the ConfigMap' })
    await keyed.secrets.set(context, 'secret', { 'secret-data': 'of the Secret' })
    const resource = (path: string) => ({
      path,
      resourceFieldRef: { containerName: 'main', resource: path, divisor: path.endsWith('cpu') ? '1m' : '1' },
    })
    const items = [
      { path: 'name', fieldRef: { fieldPath: 'metadata.name' } },
      ...['limits.cpu', 'limits.memory', 'requests.cpu', 'requests.memory'].map(resource),
    ]
    const { volumes, volumeMounts } = mountAll([
      { projected: { sources: [{ configMap: { name: 'config' } }, { secret: { name: 'secret' } }, { downwardAPI: { items } }] } },
    ])
    const wanted = {
      ...{ 'config-data': 'of the ConfigMap', 'secret-data': 'of the Secret', name: 'combined' },
      ...{ 'limits.cpu': '50', 'limits.memory': '67108864', 'requests.cpu': '25', 'requests.memory': '33554432' },
    }
    const resources = { limits: { cpu: '50m', memory: '64Mi' }, requests: { cpu: '25m', memory: '32Mi' } }
    const paths = Object.keys(wanted).map((name) => `/volume/${name}`)
    const files = await readFiles(context, paths, { volumes: volumes ?? [] }, { volumeMounts, resources }, { name: 'combined' })
    assert.equal(files.size, paths.length)
    for (const [name, content] of Object.entries(wanted)) assertFile(files, `/volume/${name}`, content, DEFAULT_MODE)
  },
}
