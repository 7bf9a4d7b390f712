import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../base/clock.ts'
import { FakeClock } from '../../base/fake-clock.ts'
import type { Logger } from '../../base/logger.ts'
import { seededRandom } from '../../base/random.ts'
import { Losses } from './backend.ts'
import { FileTarget, LogBackend, type LogFileOptions } from './log-writer.ts'
import { BATCH, WebhookBackend } from './webhook-backend.ts'

let dir: string
let logged: string[]
let losses: Losses
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'flotilla-audit-'))
  logged = []
  const note = (message: string) => void logged.push(message)
  const logger: Logger = { debug: note, info: note, warn: note, error: note, child: () => logger }
  losses = new Losses(logger)
})
afterEach(() => rm(dir, { recursive: true, force: true }))

describe('the log file', () => {
  const target = (more: Partial<LogFileOptions> = {}) =>
    new FileTarget({ path: join(dir, 'audit.log'), maxBytes: 1 << 20, maxBackups: 0, maxDays: 0, clock: new FakeClock(), ...more })

  it('has a line for each event in their order, for its owner only', async () => {
    const backend = new LogBackend(target(), losses)
    for (let i = 0; i < 500; i++) backend.write(`{"n":${i}}`)
    await backend[Symbol.asyncDispose]()
    const lines = (await readFile(join(dir, 'audit.log'), 'utf8')).trimEnd().split('\n')
    expect(lines.map((line) => (JSON.parse(line) as { n: number }).n)).toEqual(Array.from({ length: 500 }, (_, i) => i))
    expect((await stat(join(dir, 'audit.log'))).mode & 0o777).toBe(0o600)
  })

  it('is begun anew when it is full, and of the older ones the newest are kept', async () => {
    const clock = new FakeClock()
    const file = target({ maxBytes: 10, maxBackups: 2, clock })
    for (let i = 0; i < 5; i++) {
      await file.append(`event ${i}\n`)
      await clock.advance(1000)
    }
    await file[Symbol.asyncDispose]()
    const names = (await readdir(dir)).toSorted()
    expect(names).toEqual([expect.stringMatching(/^audit-\d{4}-\d\d-\d\dT[\d-]+\.\d{3}\.log$/), expect.anything(), 'audit.log'])
    expect(await Promise.all(names.map((name) => readFile(join(dir, name), 'utf8')))).toEqual(['event 2\n', 'event 3\n', 'event 4\n'])
  })

  it('forgets older ones after some days', async () => {
    const clock = new FakeClock()
    const file = target({ maxBytes: 10, maxDays: 1, clock })
    await file.append('event 0\n')
    await file.append('event 1\n')
    await clock.advance(2 * 86_400_000)
    await file.append('event 2\n')
    await file[Symbol.asyncDispose]()
    expect((await readdir(dir)).length).toBe(2)
  })

  it('that cannot be written to costs events, which are counted and said once, and goes on when it can', async () => {
    const path = join(dir, 'missing', 'audit.log')
    const backend = new LogBackend(target({ path }), losses)
    backend.write('{"n":1}')
    backend.write('{"n":2}')
    await expect.poll(() => losses.counts.get('log')).toBe(2)
    backend.write('{"n":3}')
    await expect.poll(() => losses.counts.get('log')).toBe(3)
    expect(logged).toEqual(['audit events are lost; requests go on'])
    await mkdir(join(dir, 'missing'))
    backend.write('{"n":4}')
    await backend[Symbol.asyncDispose]()
    expect(await readFile(path, 'utf8')).toBe('{"n":4}\n')
    expect(logged.at(-1)).toBe('audit events are delivered again')
  })
})

describe('the webhook', () => {
  interface Posted {
    readonly headers: IncomingHttpHeaders
    readonly body: { kind: string; apiVersion: string; items: { n: number }[] }
  }
  let server: Server
  let posts: Posted[]
  let answers: number[]
  const deps = () => ({ clock: systemClock, random: seededRandom(1), losses })
  const backendWith = (batch: Partial<typeof BATCH>) => {
    const { port } = server.address() as AddressInfo
    return new WebhookBackend(
      { server: `http://127.0.0.1:${port}/audit`, token: 'secret' },
      { ...BATCH, initialBackoff: 1, ...batch },
      deps(),
    )
  }
  beforeEach(async () => {
    posts = []
    answers = []
    server = createServer((request, response) => {
      void text(request).then((body) => {
        posts.push({ headers: request.headers, body: JSON.parse(body) as Posted['body'] })
        response.writeHead(answers.shift() ?? 200).end()
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  })
  afterEach(() => new Promise((resolve) => server.close(resolve)))

  it('gets lists of events, as many as fit into a batch', async () => {
    const backend = backendWith({ maxSize: 2 })
    for (const n of [1, 2, 3]) backend.write(JSON.stringify({ n }))
    await backend[Symbol.asyncDispose]()
    expect(posts.map(({ body }) => body)).toEqual([
      { kind: 'EventList', apiVersion: 'audit.k8s.io/v1', metadata: {}, items: [{ n: 1 }, { n: 2 }] },
      { kind: 'EventList', apiVersion: 'audit.k8s.io/v1', metadata: {}, items: [{ n: 3 }] },
    ])
    expect(posts[0]?.headers).toMatchObject({ authorization: 'Bearer secret', 'content-type': 'application/json' })
  })

  it('gets what waited long enough, and the same once more when it could not take it', async () => {
    answers = [503, 429, 200]
    await using backend = backendWith({ maxWait: 5 })
    backend.write('{"n":1}')
    await expect.poll(() => posts.length).toBe(3)
    expect(posts.map(({ body }) => body.items)).toEqual([[{ n: 1 }], [{ n: 1 }], [{ n: 1 }]])
    expect(losses.counts.size).toBe(0)
  })

  it('that refuses costs the batch and no more', async () => {
    answers = [400]
    const backend = backendWith({ maxSize: 1 })
    backend.write('{"n":1}')
    backend.write('{"n":2}')
    await backend[Symbol.asyncDispose]()
    expect(posts.map(({ body }) => body.items)).toEqual([[{ n: 1 }], [{ n: 2 }]])
    expect(losses.counts.get('webhook')).toBe(1)
  })

  it('that is gone costs what its buffer cannot hold, at once', async () => {
    const backend = backendWith({ bufferSize: 2 })
    for (const n of [1, 2, 3]) backend.write(JSON.stringify({ n }))
    expect(losses.counts.get('webhook')).toBe(1)
    await backend[Symbol.asyncDispose]()
    expect(posts.map(({ body }) => body.items)).toEqual([[{ n: 1 }, { n: 2 }]])
  })
})
