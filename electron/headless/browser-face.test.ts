import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { systemRandom } from '../base/random.ts'
import type { Port } from '../contracts/protocol.ts'
import { serveBrowserFace, type BrowserFace } from './browser-face.ts'

let dir: string
let face: BrowserFace
let connections: number
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'flotilla-face-'))
  await writeFile(join(dir, 'index.html'), '<title>Flotilla</title>')
  connections = 0
  const connect = (): Port => {
    connections++
    return { post: () => undefined, onMessage: () => undefined, onClose: () => undefined, close: () => undefined }
  }
  face = await serveBrowserFace({ rendererDir: dir, port: 0, random: systemRandom, connect })
})
afterEach(async () => {
  await face[Symbol.asyncDispose]()
  await rm(dir, { recursive: true, force: true })
})

const base = () => new URL(face.url).origin
const signIn = async () => ((await fetch(face.url, { redirect: 'manual' })).headers.get('set-cookie') ?? '').split(';')[0] ?? ''

function statusFor(headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(base(), { headers }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
      .on('error', reject)
      .end()
  })
}

function openSocket(headers: Record<string, string>): Promise<'open' | 'refused'> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`${base().replace('http', 'ws')}/ws`, { headers })
    socket.once('open', () => {
      socket.terminate()
      resolve('open')
    })
    socket.once('error', () => resolve('refused'))
  })
}

describe('the browser face', () => {
  it('exchanges the token of its address for a cookie that scripts cannot read, and takes it out of the address', async () => {
    const response = await fetch(face.url, { redirect: 'manual' })
    expect(response.status).toBe(303)
    expect(response.headers.get('location')).toBe('/')
    expect(response.headers.get('set-cookie')).toMatch(/^flotilla-\d+=\S+; HttpOnly; SameSite=Strict; Path=\/$/)
  })

  it('serves the UI, with a policy, to who has the cookie, and to nobody else', async () => {
    const cookie = await signIn()
    const response = await fetch(base(), { headers: { cookie } })
    expect(await response.text()).toContain('Flotilla')
    expect(response.headers.get('content-security-policy')).toMatch(/default-src/)
    expect((await fetch(base())).status).toBe(403)
    expect((await fetch(`${base()}/?token=guessed`)).status).toBe(403)
    expect((await fetch(base(), { headers: { cookie: `${cookie.split('=')[0]}=guessed` } })).status).toBe(403)
  })

  it('refuses a name that only resolves to this computer, and writing methods', async () => {
    const cookie = await signIn()
    expect(await statusFor({ cookie, host: `evil.example:${new URL(base()).port}` })).toBe(421)
    expect((await fetch(base(), { method: 'POST', headers: { cookie } })).status).toBe(405)
  })

  it('opens a connection to the plane only for its own pages', async () => {
    const cookie = await signIn()
    expect(await openSocket({ cookie, origin: 'https://evil.example' })).toBe('refused')
    expect(await openSocket({ cookie })).toBe('refused')
    expect(await openSocket({ origin: base() })).toBe('refused')
    expect(connections).toBe(0)
    expect(await openSocket({ cookie, origin: base() })).toBe('open')
    expect(connections).toBe(1)
  })
})
