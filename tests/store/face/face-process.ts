import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const CHILD = fileURLToPath(new URL('./face-child.ts', import.meta.url))

export interface ServedFace extends AsyncDisposable {
  readonly url: string
}

/** A store with its face in a process of its own; returns when it serves. */
export async function serveFace(engine: 'memory' | 'embedded', dir = ''): Promise<ServedFace> {
  const child = spawn(process.execPath, [CHILD, engine, dir], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  for await (const url of createInterface(child.stdout)) {
    return {
      url,
      async [Symbol.asyncDispose]() {
        child.kill('SIGTERM')
        await exited
      },
    }
  }
  throw new Error('the face did not begin to serve')
}
