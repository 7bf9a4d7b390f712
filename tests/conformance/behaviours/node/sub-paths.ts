/** Subpath: single files of volumes. */
import type { Volume } from '../../../../electron/api/core/v1/types.gen.ts'
import type { Draft } from '../../../../electron/api/meta/v1/object.ts'
import type { Behaviour, Behaviours } from '../../lib/behaviour.ts'
import { assertFile, readFiles } from '../../lib/files.ts'
import { EXISTING_FILE } from '../../lib/image.ts'
import { configMaps, projectedConfigMaps, secrets, subPath } from '../../lib/keyed.ts'

function downwardFile(volume: (items: object[]) => Draft<Volume>): Behaviour {
  return async (context) => {
    const name = context.unique('named')
    const volumes = [{ name: 'volume', ...volume([{ path: 'downward/podname', fieldRef: { fieldPath: 'metadata.name' } }]) }]
    const volumeMounts = [{ name: 'volume', mountPath: '/file', subPath: 'downward/podname' }]
    assertFile(await readFiles(context, ['/file'], { volumes }, { volumeMounts }, { name }), '/file', name)
  }
}

export const behaviours: Behaviours = {
  'subpath-configmap': subPath(configMaps),
  'subpath-configmap-existing-file': subPath(configMaps, EXISTING_FILE.path),
  'subpath-secret': subPath(secrets),
  'subpath-projected': subPath(projectedConfigMaps),
  'subpath-downwardapi': downwardFile((items) => ({ downwardAPI: { items } })),
}
