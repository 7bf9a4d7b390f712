/** A name server of the outside: answers over UDP and TCP what a test says, and can be silent, refuse or go away. */
import { createSocket } from 'node:dgram'
import { createServer, type Socket } from 'node:net'
import type { Packet } from 'dns-packet'
import { ask, read, reply } from '../../electron/agent/dns/testing/messages.ts'
import { framed, FrameReader } from '../../electron/agent/dns/wire/frames.ts'

export interface Upstream extends AsyncDisposable {
  readonly address: string
  /** What was asked: "udp www.example.com A". */
  readonly asked: string[]
  /** By name; a number is a code. What is not here is not there (NXDOMAIN). */
  readonly names: Map<string, Packet | number>
  mood: 'answers' | 'silent' | 'no-tcp' | 'no-edns'
}

const FORMERR = 1
const NXDOMAIN = 3

/** `onQuestion` is told each name. */
export async function openUpstream(address: string, onQuestion?: (name: string) => void): Promise<Upstream> {
  const port = 53
  const names: Upstream['names'] = new Map()
  const asked: string[] = []
  const udp = createSocket('udp4')
  const clients = new Set<Socket>()

  const answer = (message: Uint8Array, protocol: 'udp' | 'tcp'): Buffer | null => {
    const { questions, additionals } = read(message)
    const { name = '', type = '' } = questions[0] ?? {}
    asked.push(`${protocol} ${name} ${type}`)
    onQuestion?.(name)
    if (upstream.mood === 'silent') return null
    const known = names.get(name.toLowerCase()) ?? NXDOMAIN
    if (typeof known === 'number') return reply(message, {}, known)
    const whole = reply(message, known)
    if (upstream.mood === 'no-edns' && additionals.length) return reply(message, {}, FORMERR)
    const room = additionals.find((record) => record.type === 'OPT')?.udpPayloadSize ?? 512
    return protocol === 'udp' && whole.length > room ? reply(message, { flags: 0x8380 }) : whole
  }
  udp.on('message', (message, from) => {
    const bytes = answer(message, 'udp')
    if (bytes) udp.send(bytes, from.port, from.address)
  })
  const tcp = createServer((socket) => {
    if (upstream.mood === 'no-tcp') return void socket.destroy()
    clients.add(socket)
    const frames = new FrameReader()
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => {
      for (const message of frames.push(chunk)) {
        const bytes = answer(message, 'tcp')
        if (bytes) socket.write(framed(bytes))
      }
    })
  })
  await new Promise<void>((resolve) => udp.bind({ address, port, exclusive: true }, resolve))
  await new Promise<void>((resolve) => tcp.listen(port, address, resolve))
  const upstream: Upstream = {
    ...{ address, asked, names, mood: 'answers' as const },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.destroy()
      await new Promise<void>((resolve) => udp.close(resolve))
      await new Promise<void>((resolve) => tcp.close(() => resolve()))
    },
  }
  return upstream
}

/** One question over UDP, as a client sends it; null after `timeout` milliseconds. */
export function askUdp(address: string, ...question: Parameters<typeof ask>): Promise<ReturnType<typeof read> | null> {
  const socket = createSocket('udp4')
  return new Promise((resolve) => {
    const done = (bytes: Buffer | null) => {
      clearTimeout(timer)
      socket.close(() => resolve(bytes && read(bytes)))
    }
    const timer = setTimeout(() => done(null), 6000)
    socket.once('message', done)
    socket.send(ask(...question), 53, address)
  })
}
