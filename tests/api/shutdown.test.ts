/** How the server goes: it says so, lets requests under way end, and ends watches as if their time were over. */
import { once } from 'node:events'
import { afterEach, expect, it } from 'vitest'
import { configMap } from '../../electron/api/kinds.gen.ts'
import { http1, http2, serve, session, type Served } from './served.ts'

let served: Served
afterEach(() => served[Symbol.asyncDispose]())

it('says that it is about to stop, and answers on', async () => {
  served = await serve()
  expect((await http1(served, '/readyz?verbose')).body.toString()).toContain('[+]shutdown ok')
  served.server.retire()
  const ready = await http1(served, '/readyz?verbose')
  expect([ready.status, ready.body.toString()]).toEqual([500, expect.stringContaining('[-]shutdown failed') as string])
  expect((await http1(served, '/livez')).status).toBe(200)
  expect((await http1(served, '/api/v1/namespaces/default')).status).toBe(200)
})

it('answers what it has begun, over either version of HTTP', async () => {
  const [begun, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  let count = 0
  const slow = async () => {
    if (++count === 2) begun.resolve()
    await held.promise
    return { status: 200, headers: {}, body: Buffer.alloc(4 << 20, 'x') }
  }
  served = await serve({}, { handlers: { '/slow': slow } })
  const h2 = session(served)
  const answers = [http1(served, '/slow'), http2(h2, '/slow')]
  await begun.promise
  const stopped = served.listening[Symbol.asyncDispose]()
  held.resolve()
  expect((await Promise.all(answers)).map(({ status, body }) => [status, body.length])).toEqual([
    [200, 4 << 20],
    [200, 4 << 20],
  ])
  await stopped
  await expect(http1(served, '/livez')).rejects.toThrow()
  h2.destroy()
})

it('ends watches after a last bookmark, and not with an error', async () => {
  served = await serve()
  const h2 = session(served)
  const stream = h2.request({ ':path': '/api/v1/namespaces/default/configmaps?watch=1&allowWatchBookmarks=true' })
  const [headers] = (await once(stream, 'response')) as [Record<string, unknown>]
  expect(headers[':status']).toBe(200)
  await served.admin.create(configMap, { metadata: { name: 'a', namespace: 'default' } })
  const parts: Buffer[] = []
  stream.on('data', (part: Buffer) => parts.push(part))
  const types = () =>
    Buffer.concat(parts)
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line || '{}') as { type?: string }).type)
  await expect.poll(types).toContain('ADDED')
  const ended = once(stream, 'end')
  await served.listening[Symbol.asyncDispose]()
  await ended
  expect(types().at(-1)).toBe('BOOKMARK')
  expect(stream.rstCode).toBe(0)
  h2.destroy()
})

it('takes no new connection once it stops, and does not wait for who never ends', async () => {
  const begun = Promise.withResolvers<void>()
  const endless = async () => ({
    status: 200,
    headers: {},
    body: (async function* () {
      yield Buffer.from('first')
      begun.resolve()
      await new Promise(() => {})
    })(),
  })
  served = await serve({}, { handlers: { '/endless': endless } })
  const broken = http1(served, '/endless').then(
    () => 'whole',
    () => 'cut',
  )
  await begun.promise
  await served.listening[Symbol.asyncDispose]()
  expect(await broken).toBe('cut')
})
