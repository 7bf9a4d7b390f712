/** Secret: as volumes and as environment. */
import assert from 'node:assert/strict'
import type { Behaviours } from '../../lib/behaviour.ts'
import { environmentOf } from '../../lib/environment.ts'
import { assertFile, DEFAULT_MODE, mountAll, readFiles } from '../../lib/files.ts'
import * as keyed from '../../lib/keyed.ts'

const { secrets } = keyed

export const behaviours: Behaviours = {
  'secret-volume': keyed.asVolume(secrets),
  'secret-volume-defaultmode': keyed.withDefaultMode(secrets),
  'secret-volume-mapped': keyed.mapped(secrets),
  'secret-volume-mapped-item-mode': keyed.mappedItemMode(secrets),
  'secret-volume-nonroot-fsgroup': keyed.nonRootFsGroup(secrets),
  'secret-multiple-volumes': keyed.multipleVolumes(secrets),
  'secret-volume-optional-updates': keyed.optionalUpdates(secrets),

  async 'secret-volume-same-name-other-namespace'(context) {
    await secrets.set(context, 'same', { 'data-1': 'of the other' }, await context.anotherNamespace())
    await secrets.set(context, 'same', { 'data-1': 'of its own' })
    const { volumes, volumeMounts } = mountAll([secrets.volume('same')])
    const files = await readFiles(context, ['/volume/data-1'], { volumes: volumes ?? [] }, { volumeMounts })
    assertFile(files, '/volume/data-1', 'of its own', DEFAULT_MODE)
  },

  async 'secret-env-var'(context) {
    await secrets.set(context, 'settings', { 'data-1': 'value-1' })
    const seen = await environmentOf(context, { env: [{ name: 'SEEN', valueFrom: { secretKeyRef: { name: 'settings', key: 'data-1' } } }] })
    assert.equal(seen.get('SEEN'), 'value-1')
  },

  async 'secret-envfrom'(context) {
    await secrets.set(context, 'settings', { data_1: 'value-1', data_2: 'value-2', data_3: 'value-3' })
    const secretRef = { name: 'settings' }
    const seen = await environmentOf(context, { envFrom: [{ secretRef }, { prefix: 'p_', secretRef }] })
    for (const i of [1, 2, 3]) for (const prefix of ['', 'p_']) assert.equal(seen.get(`${prefix}data_${i}`), `value-${i}`)
  },

  async 'secret-env-prefixes'(context) {
    await secrets.set(context, 'settings', { data_1: 'value-1', data_2: 'value-2', data_3: 'value-3' })
    const prefixes = ['', '1-', '$_-', 'ABC_', '#@!']
    const seen = await environmentOf(context, { envFrom: prefixes.map((prefix) => ({ prefix, secretRef: { name: 'settings' } })) })
    for (const i of [1, 2, 3]) for (const prefix of prefixes) assert.equal(seen.get(`${prefix}data_${i}`), `value-${i}`, prefix)
  },
}
