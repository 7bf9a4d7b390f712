import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { seededRandom } from '../../base/random.ts'
import { download, type DownloadProgress } from './download.ts'
import { MachineImages } from './images.ts'

const BODY = Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * 7) % 251))
const SUM = createHash('sha256').update(BODY).digest('hex')
const signal = new AbortController().signal

let dir: string
let closing: (() => Promise<void>)[] = []
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'flotilla-download-'))
})
afterEach(async () => {
  for (const close of closing) await close()
  closing = []
  await rm(dir, { recursive: true, force: true })
})

/** A server on the loopback; returns an address on it and the Range headers that were asked for. */
async function served(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const ranges: (string | undefined)[] = []
  const server = createServer((request, response) => {
    ranges.push(request.headers.range)
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  )
  const address = server.address()
  return { url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/disk.img`, ranges }
}

/** As a server of files answers. */
function whole(request: IncomingMessage, response: ServerResponse): void {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
  if (from >= BODY.length) return void response.writeHead(416).end()
  const headers = {
    'content-length': BODY.length - from,
    ...(from ? { 'content-range': `bytes ${from}-${BODY.length - 1}/${BODY.length}` } : {}),
  }
  response.writeHead(from ? 206 : 200, headers).end(BODY.subarray(from))
}

const get = (url: string, onProgress: (progress: DownloadProgress) => void = () => undefined, sha256 = SUM) =>
  download({ url, sha256, to: join(dir, 'disk.img'), signal, onProgress })

describe('a download', () => {
  it('ends with the file, and says how far it is', async () => {
    const { url } = await served(whole)
    const seen: DownloadProgress[] = []
    await get(url, (progress) => seen.push(progress))
    expect(await readFile(join(dir, 'disk.img'))).toEqual(BODY)
    expect(await readdir(dir)).toEqual(['disk.img'])
    expect(seen[0]).toEqual({ received: 0, total: BODY.length })
    expect(seen.at(-1)).toEqual({ received: BODY.length, total: BODY.length })
  })

  it('goes on where it was cut off', async () => {
    let first = true
    const { url, ranges } = await served((request, response) => {
      if (!first) return whole(request, response)
      first = false
      response.writeHead(200, { 'content-length': BODY.length })
      response.write(BODY.subarray(0, 70_000), () => response.destroy())
    })
    await expect(get(url)).rejects.toMatchObject({ code: 'INVALID_INPUT', what: `${url} could not be downloaded.` })
    expect(await readdir(dir)).toEqual(['disk.img.part'])
    const had = (await readFile(join(dir, 'disk.img.part'))).length
    const seen: DownloadProgress[] = []
    await get(url, (progress) => seen.push(progress))
    expect(await readFile(join(dir, 'disk.img'))).toEqual(BODY)
    expect(ranges).toEqual([undefined, had > 0 ? `bytes=${had}-` : undefined])
    expect(seen[0]).toEqual({ received: had, total: BODY.length })
  })

  it('begins anew at a server that knows no parts', async () => {
    await writeFile(join(dir, 'disk.img.part'), 'of something else')
    const { url } = await served((_, response) => void response.writeHead(200, { 'content-length': BODY.length }).end(BODY))
    await get(url)
    expect(await readFile(join(dir, 'disk.img'))).toEqual(BODY)
  })

  it('is content with what came whole before', async () => {
    await writeFile(join(dir, 'disk.img.part'), BODY)
    const { url, ranges } = await served(whole)
    await get(url)
    expect(ranges).toEqual([`bytes=${BODY.length}-`])
    expect(await readFile(join(dir, 'disk.img'))).toEqual(BODY)
  })

  it('keeps nothing of another file', async () => {
    const { url } = await served(whole)
    const wrong = 'a'.repeat(64)
    await expect(get(url, undefined, wrong)).rejects.toMatchObject({ code: 'INVALID_INPUT', why: `Its SHA-256 is ${SUM}, not ${wrong}.` })
    expect(await readdir(dir)).toEqual([])
  })

  it('says what the server answered', async () => {
    const { url } = await served((_, response) => void response.writeHead(404).end())
    await expect(get(url)).rejects.toMatchObject({ code: 'INVALID_INPUT', why: 'the server answered 404 Not Found.' })
  })

  it('stops when it is told to', async () => {
    const { url } = await served(
      (_, response) => void response.writeHead(200, { 'content-length': BODY.length }).write(BODY.subarray(0, 1000)),
    )
    const stop = new AbortController()
    const stopped = download({
      url,
      sha256: SUM,
      to: join(dir, 'disk.img'),
      signal: stop.signal,
      onProgress: ({ received }) => received && stop.abort(),
    })
    await expect(stopped).rejects.toMatchObject({ name: 'AbortError' })
  })
})

describe('the cache of images', () => {
  const images = () => new MachineImages({ dir: join(dir, 'images'), architecture: 'amd64', runtime: null, random: seededRandom(1) })
  const progress = { signal, onProgress: () => undefined }

  it('asks for an image once, whoever wants it and when', async () => {
    const { url, ranges } = await served(whole)
    const cache = images()
    const [a, b] = await Promise.all([cache.ensureCloud({ url, sha256: SUM }, progress), cache.ensureCloud({ url, sha256: SUM }, progress)])
    expect(a).toEqual(b)
    expect(await images().ensureCloud({ url, sha256: SUM.toUpperCase() }, progress)).toEqual(a)
    expect(await images().find(SUM)).toEqual(a)
    expect(ranges).toHaveLength(1)
  })

  it('takes no folder for an image that was not finished', async () => {
    const cache = images()
    expect(await cache.own()).toBeNull()
    expect(await cache.find('0123456789abcdef')).toBeNull()
  })

  it('takes only a checksum for one', async () => {
    await expect(images().ensureCloud({ url: 'http://127.0.0.1/', sha256: '12' }, progress)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    })
  })
})
