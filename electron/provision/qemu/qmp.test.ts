import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../base/clock.ts'
import { Qmp } from './qmp.ts'

interface Command {
  execute: string
  id: number
  arguments?: Record<string, unknown>
}

let dir: string
let path: string
let server: Server | null = null
const sockets = new Set<Socket>()
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'flotilla-qmp-'))
  path = join(dir, 'qmp.sock')
})
afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  sockets.clear()
  await new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()))
  server = null
  await rm(dir, { recursive: true, force: true })
})

/** Something that speaks as QEMU does; `answer` gets each command after the greeting's. */
async function qemu(answer: (command: Command, send: (message: object) => void, socket: Socket) => void, greet = true): Promise<string[]> {
  const heard: string[] = []
  server = createServer((socket) => {
    sockets.add(socket)
    const send = (message: object) => void socket.write(`${JSON.stringify(message)}\r\n`)
    if (greet) send({ QMP: { version: { qemu: { major: 7, minor: 2, micro: 0 } }, capabilities: [] } })
    let rest = ''
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        const command = JSON.parse(line) as Command
        heard.push(command.execute)
        if (command.execute === 'qmp_capabilities') send({ return: {}, id: command.id })
        else answer(command, send, socket)
      }
    })
  })
  await new Promise<void>((resolve) => server?.listen(path, resolve))
  return heard
}

const connect = () => Qmp.connect(path, { clock: systemClock })

describe('the connection to QEMU', () => {
  it('greets before it asks, and takes each answer for its command', async () => {
    const waiting: (() => void)[] = []
    const heard = await qemu((command, send) => {
      waiting.push(() => send({ return: { of: command.execute }, id: command.id }))
      // The second is answered before the first.
      if (waiting.length === 2) for (const reply of waiting.toReversed()) reply()
    })
    using qmp = await connect()
    expect(await Promise.all([qmp.execute('query-status'), qmp.execute('query-jobs')])).toEqual([
      { of: 'query-status' },
      { of: 'query-jobs' },
    ])
    expect(heard).toEqual(['qmp_capabilities', 'query-status', 'query-jobs'])
  })

  it('overhears events, and takes messages that come in pieces', async () => {
    await qemu(({ id }, send, socket) => {
      send({ event: 'STOP', timestamp: { seconds: 1, microseconds: 2 } })
      const text = JSON.stringify({ return: { name: 'ä' }, id })
      const bytes = Buffer.from(`${text}\r\n`)
      const middle = bytes.indexOf(0xc3) + 1
      socket.write(bytes.subarray(0, middle), () => socket.write(bytes.subarray(middle)))
    })
    using qmp = await connect()
    expect(await qmp.execute('query-name')).toEqual({ name: 'ä' })
  })

  it('says what QEMU refused, and goes on', async () => {
    await qemu(({ execute, id }, send) =>
      send(execute === 'query-status' ? { return: {}, id } : { error: { class: 'CommandNotFound', desc: 'no such command' }, id }),
    )
    using qmp = await connect()
    await expect(qmp.execute('dance')).rejects.toMatchObject({ kind: 'CommandNotFound', message: 'dance: no such command' })
    expect(await qmp.execute('query-status')).toEqual({})
  })

  it('fails what is under way when QEMU ends', async () => {
    await qemu((_, __, socket) => socket.destroy())
    using qmp = await connect()
    await expect(qmp.execute('quit')).rejects.toThrow('QEMU closed the connection')
    await qmp.closed
    await expect(qmp.execute('query-status')).rejects.toThrow('QEMU closed the connection')
  })

  it('does not wait for ever for a QEMU that talks to someone else', async () => {
    await qemu(() => undefined, false)
    await expect(Qmp.connect(path, { clock: systemClock, greetingMs: 20 })).rejects.toMatchObject({ name: 'TimeoutError' })
  })

  it('fails with the system’s error where nothing listens', async () => {
    await expect(connect()).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

describe('a job', () => {
  /** A job that is seen running once before it ends. */
  const jobs = (error?: string) => {
    let looks = 0
    return ({ execute, id }: Command, send: (message: object) => void) => {
      if (execute !== 'query-jobs') return send({ return: {}, id })
      const status = looks++ === 0 ? 'running' : 'concluded'
      send({ return: [{ id: 'j', status, ...(error && status === 'concluded' ? { error } : {}) }], id })
    }
  }

  it('is waited for, and cleared away', async () => {
    const heard = await qemu(jobs())
    using qmp = await connect()
    await qmp.job('snapshot-save', 'j', { tag: 't' })
    expect(heard.slice(1)).toEqual(['snapshot-save', 'query-jobs', 'query-jobs', 'job-dismiss'])
  })

  it('fails with its own error, and is cleared away all the same', async () => {
    const heard = await qemu(jobs('No space left on device'))
    using qmp = await connect()
    await expect(qmp.job('snapshot-save', 'j', {})).rejects.toThrow('snapshot-save: No space left on device')
    expect(heard.at(-1)).toBe('job-dismiss')
  })
})
