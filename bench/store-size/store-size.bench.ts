import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../electron/base/clock.ts'
import { silentLogger } from '../../electron/base/logger.ts'
import { createRemoteStore } from '../../electron/store/remote/remote-store.ts'
import { lessIsBetter, type Measure } from '../measure.ts'
import { residentBytes, startEtcd } from '../store/etcd-peer.ts'
import { fill, OBJECT_SIZE, OBJECTS, readAll } from '../store/objects.ts'

const MIB = 1024 * 1024
const EMBEDDED = fileURLToPath(new URL('../store/embedded-objects.ts', import.meta.url))

interface Size {
  /** Milliseconds from the start of the process to its first answer, after the one before it was killed. */
  readonly recovery: number
  /** Bytes, when all has been read once. */
  readonly resident: number
}

/**
 * A cluster's objects in the embedded store, whose process is Node with nothing else in it, and in Debian's etcd: how soon each
 * answers again after kill -9, and how much memory it has when all was read once.
 */
export async function* run(): AsyncIterable<Measure> {
  const dir = mkdtempSync(join(tmpdir(), 'bench-store-size-'))
  try {
    const ours = await sizeOfEmbedded(join(dir, 'embedded'))
    const { version, ...theirs } = await sizeOfEtcd(dir)
    const peer = `${OBJECTS} objects of ${OBJECT_SIZE} bytes; etcd ${version}`
    yield lessIsBetter('recovery after kill -9, start of the process included', 'ms', ours.recovery, theirs.recovery, peer)
    yield lessIsBetter('resident memory after all was read', 'MiB', ours.resident / MIB, theirs.resident / MIB, peer)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

async function sizeOfEmbedded(dir: string): Promise<Size> {
  await using filler = start(dir, 'fill')
  await filler.says('filled')
  await filler[Symbol.asyncDispose]()
  const began = systemClock.monotonic()
  await using opener = start(dir, 'open')
  await opener.says('serving')
  const recovery = systemClock.monotonic() - began
  await opener.says('read')
  return { recovery, resident: residentBytes(opener.pid) }
}

function start(dir: string, what: string): { readonly pid: number | undefined; says(word: string): Promise<void> } & AsyncDisposable {
  const child = spawn(process.execPath, [EMBEDDED, dir, what], { stdio: ['pipe', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  return {
    pid: child.pid,
    async says(word) {
      const { value } = await lines.next()
      if (value !== word) throw new Error(`the process that was to say ${word} said ${String(value)}`)
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await exited
    },
  }
}

async function sizeOfEtcd(dir: string): Promise<Size & { readonly version: string }> {
  const connect = (port: number) =>
    createRemoteStore({ endpoints: [`http://127.0.0.1:${port}`], clock: systemClock, logger: silentLogger, tls: {} })
  const filled = await startEtcd(dir)
  await using store = await connect(filled.port)
  await fill(store)
  await filled.kill()
  await using etcd = await startEtcd(dir)
  await using client = await connect(etcd.port)
  await readAll(client)
  return { recovery: etcd.startMilliseconds, resident: etcd.residentBytes(), version: etcd.version }
}
