/** The built UI over a fake face, served as a browser gets it. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import vue from '@vitejs/plugin-vue'
import { build } from 'vite'
import { systemRandom } from '../../../electron/base/random.ts'
import { serveBrowserFace } from '../../../electron/headless/browser-face.ts'
import { startCluster, type Cluster } from './cluster.ts'
import { createFakeFace, faceHandlers, type FaceOptions, type FakeFace } from './face.ts'
import { makeHarbor } from './harbor.ts'
import { makeReleases } from './helm.ts'
import { makeStock } from './stock.ts'
import { startWorkers, type Workers } from './workers.ts'

export interface FakeApp extends AsyncDisposable {
  /** Opens the UI once. */
  readonly url: string
  readonly cluster: Cluster
  readonly face: FakeFace
  readonly workers: Workers
  readonly options: FaceOptions
}

let built: Promise<string> | null = null

/** Builds the UI once for a process, into a folder of its own. */
export function buildUi(): Promise<string> {
  built ??= (async () => {
    const outDir = mkdtempSync(join(tmpdir(), 'flotilla-ui-'))
    const root = resolve(import.meta.dirname, '../../../renderer')
    await build({ configFile: false, root, plugins: [vue()], logLevel: 'warn', build: { outDir, emptyOutDir: true } })
    return outDir
  })()
  return built
}

export async function startFakeApp(options: FaceOptions & { empty?: boolean; rendererDir?: string; port?: number } = {}): Promise<FakeApp> {
  const rendererDir = options.rendererDir ?? (await buildUi())
  const cluster = await startCluster()
  const workers = startWorkers(cluster.client)
  if (!options.empty) {
    await makeHarbor(cluster.client)
    await makeStock(cluster.client)
    await makeReleases(cluster.client)
  }
  const face = createFakeFace(faceHandlers(cluster.client, options))
  const served = await serveBrowserFace({ rendererDir, port: options.port ?? 0, random: systemRandom, connect: () => face.connect() })
  return {
    url: served.url,
    cluster,
    face,
    workers,
    options,
    async [Symbol.asyncDispose]() {
      face.drop()
      workers[Symbol.dispose]()
      await served[Symbol.asyncDispose]()
      await cluster[Symbol.asyncDispose]()
    },
  }
}
