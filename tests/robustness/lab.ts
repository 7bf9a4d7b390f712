import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundleHost } from './host/bundle.ts'

/** A folder of its own under the system's, removed when disposed. */
export class Place implements Disposable {
  readonly dir: string

  constructor() {
    this.dir = mkdtempSync(join(tmpdir(), 'flotilla-robustness-'))
  }

  [Symbol.dispose](): void {
    rmSync(this.dir, { recursive: true, force: true })
  }
}

/** The bundled process with the store, in a place of its own. */
export async function bundledHost(): Promise<{ readonly script: string } & Disposable> {
  using stack = new DisposableStack()
  const place = stack.use(new Place())
  const script = await bundleHost(place.dir)
  const held = stack.move()
  return { script, [Symbol.dispose]: () => held.dispose() }
}
