import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { PlaneConfig } from './config.ts'

/** Where the program's own files are, whether it runs from source or from its bundle. */
export interface Locations {
  readonly version: string
  readonly planeWorker: URL
  readonly storeWorker: URL
  /** The built UI. */
  readonly rendererDir: string
  readonly agentDir: string
  readonly runtimeDirs: readonly string[]
  readonly descriptionsFile: string
  readonly unitsDir: string
  /** Icons and what else is shipped as files. */
  readonly resourcesDir: string
}

/**
 * `entry` is the file name of an entry point: `electron/<face>/<entry>.ts` in source, `out/main/<entry>.js` in the bundle; both lie
 * two folders below the root.
 */
export function locate(entry: string): Locations {
  const root = join(dirname(entry), '../..')
  // A packaged app is one archive; what others run is beside it.
  const beside = root.endsWith('.asar') ? dirname(root) : null
  const url = (bundled: string, source: string) => pathToFileURL(join(root, entry.endsWith('.ts') ? source : bundled))
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  return {
    version,
    planeWorker: url('out/main/plane-worker.js', 'electron/plane/worker-entry.ts'),
    storeWorker: url('out/main/store-worker.js', 'electron/store/embedded/worker.ts'),
    rendererDir: join(root, 'out/renderer'),
    agentDir: beside ? join(beside, 'agent') : join(root, 'resources/agent'),
    runtimeDirs: beside ? [beside] : [join(root, 'node_modules'), join(root, 'resources')],
    descriptionsFile: join(root, 'resources/descriptions.json'),
    unitsDir: join(root, 'resources/units'),
    resourcesDir: join(root, 'resources'),
  }
}

/** The folder that desktop app and command line share when none is named. */
export function defaultStateDir(env: NodeJS.ProcessEnv = process.env, platform: NodeJS.Platform = process.platform): string {
  const home = homedir()
  if (env['FLOTILLA_STATE']) return env['FLOTILLA_STATE']
  if (platform === 'darwin') return join(home, 'Library/Application Support/Flotilla')
  if (platform === 'win32') return join(env['APPDATA'] ?? join(home, 'AppData/Roaming'), 'Flotilla')
  return join(env['XDG_DATA_HOME'] ?? join(home, '.local/share'), 'flotilla')
}

/** The part of a plane's configuration that follows from where the program is. */
export function placesOf(
  places: Locations,
): Pick<PlaneConfig, 'version' | 'storeWorkerUrl' | 'agentDir' | 'runtimeDirs' | 'unitsDir' | 'rendererDir' | 'descriptionsFile'> {
  const { version, storeWorker, agentDir, runtimeDirs, unitsDir, rendererDir, descriptionsFile } = places
  return { version, storeWorkerUrl: storeWorker.href, agentDir, runtimeDirs, unitsDir, rendererDir, descriptionsFile }
}
