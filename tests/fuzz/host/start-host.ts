import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Peer } from '../transport/connection.ts'
import type { Fault, FromHost, Measured, ToHost } from './messages.ts'

const HOST = new URL('./host.ts', import.meta.url)

export interface Host extends AsyncDisposable {
  readonly peer: Peer
  /** What it has found wrong with itself since it was last asked. */
  faults(): Fault[]
  measure(): Promise<Measured>
}

/** A plane in a process of its own, on a state folder that goes with it. */
export async function startHost(): Promise<Host> {
  await using undo = new AsyncDisposableStack()
  const dir = await mkdtemp(join(tmpdir(), 'flotilla-fuzz-'))
  undo.defer(() => rm(dir, { recursive: true, force: true }))
  const child = fork(HOST, [join(dir, 'state')], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const exited = once(child, 'exit')
  let stopping = false
  let found: Fault[] = []
  const ready = Promise.withResolvers<Peer>()
  let measuring: PromiseWithResolvers<Measured> | null = null
  child.on('message', (message: FromHost) => {
    if (message.type === 'fault') found.push(message)
    else if (message.type === 'measured') measuring?.resolve(message)
    else ready.resolve({ host: '127.0.0.1', port: message.port, ca: message.ca, cert: message.cert, key: message.key })
  })
  child.once('exit', (code, signal) => {
    const message = `the process with the plane ended with ${signal ?? `code ${code}`}`
    if (!stopping) found.push({ type: 'fault', rule: 'crash', message })
    ready.reject(new Error(message))
    measuring?.reject(new Error(message))
  })
  const say = (message: ToHost) => child.connected && child.send(message)
  undo.defer(async () => {
    stopping = true
    say({ type: 'stop' })
    await exited
  })
  const peer = await ready.promise
  const all = undo.move()
  return {
    peer,
    faults() {
      const now = found
      found = []
      return now
    },
    measure() {
      measuring = Promise.withResolvers()
      say({ type: 'measure' })
      return measuring.promise
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}
