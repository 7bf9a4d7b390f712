/**
 * A process that lives in a network namespace: a pod's program, a machine's, or somebody outside. It answers TCP and UDP with
 * "NAME PEER", dials when it is told to, and hands a loopback port on to a unix socket, as a reverse SSH forward does.
 */
import { createSocket } from 'node:dgram'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { connect as connectSecurely } from 'node:tls'

/** What a resident can be asked; each is answered with a string. */
export type Question =
  | { readonly kind: 'serve'; readonly port: number }
  /** The answer, or the error's code; "timeout" where nobody answers within the milliseconds. */
  | {
      readonly kind: 'dial'
      readonly protocol: 'tcp' | 'udp'
      readonly to: string
      readonly port: number
      readonly timeout: number
      readonly from?: number
    }
  /** Opens a connection that stays; the answer to its first line. */
  | { readonly kind: 'open'; readonly to: string; readonly port: number }
  /** Sends a line over the connection that stays. */
  | { readonly kind: 'say' }
  /** "authorized" where the server shows a certificate of this authority for this name. */
  | { readonly kind: 'secure'; readonly to: string; readonly port: number; readonly ca: string; readonly servername: string }
  /** Status and body of a GET over HTTP. */
  | { readonly kind: 'get'; readonly url: string }
  /** The port on loopback. */
  | { readonly kind: 'forward'; readonly socket: string }

const [name = ''] = process.argv.slice(2)
let kept: Socket | null = null

function serve(port: number): Promise<string> {
  const udp = createSocket('udp4')
  udp.on('message', (_data, peer) => udp.send(`${name} ${peer.address}`, peer.port, peer.address))
  const tcp = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.on('data', () => socket.write(`${name} ${socket.remoteAddress}`))
  })
  return new Promise((resolve) => udp.bind(port, () => tcp.listen(port, '0.0.0.0', () => resolve('serving'))))
}

function dialTcp(to: string, port: number, timeout: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: to, port }, () => socket.write('who'))
    const done = (answer: string) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(answer)
    }
    const timer = setTimeout(() => done('timeout'), timeout)
    socket.on('data', (data) => done(String(data)))
    socket.on('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message))
    socket.on('close', () => done('closed'))
  })
}

function dialUdp(to: string, port: number, timeout: number, from: number | undefined): Promise<string> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4')
    const done = (answer: string) => {
      clearTimeout(timer)
      socket.close(() => resolve(answer))
    }
    const timer = setTimeout(() => done('timeout'), timeout)
    socket.once('message', (data) => done(String(data)))
    socket.once('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message))
    // Connected, so that a refusal by ICMP becomes an error.
    socket.once('connect', () => socket.send('who'))
    socket.bind(from ?? 0, () => socket.connect(port, to))
  })
}

function open(to: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    kept = connect({ host: to, port }, () => resolve(say()))
    kept.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
  })
}

function say(): Promise<string> {
  return new Promise((resolve) => {
    if (!kept || kept.destroyed) return resolve('closed')
    const timer = setTimeout(() => resolve('timeout'), 3000)
    kept.once('data', (data) => {
      clearTimeout(timer)
      resolve(String(data))
    })
    kept.write('again')
  })
}

function secure(host: string, port: number, ca: string, servername: string): Promise<string> {
  return new Promise((resolve) => {
    const done = (answer: string) => {
      socket.destroy()
      resolve(answer)
    }
    const socket = connectSecurely({ host, port, ca, servername }, () => done(socket.authorized ? 'authorized' : 'stranger'))
    socket.setTimeout(3000, () => done('timeout'))
    socket.on('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message))
  })
}

async function get(url: string): Promise<string> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(3000) })
    return `${response.status} ${await response.text()}`
  } catch (error) {
    return String(error)
  }
}

function forward(path: string): Promise<string> {
  const server = createServer((incoming) => {
    const outgoing = connect(path)
    for (const [socket, other] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      socket.pipe(other)
      socket.on('error', () => undefined)
      socket.on('close', () => other.destroy())
    }
  })
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(String((server.address() as AddressInfo).port))))
}

function answer(question: Question): Promise<string> {
  switch (question.kind) {
    case 'serve':
      return serve(question.port)
    case 'dial':
      return question.protocol === 'tcp'
        ? dialTcp(question.to, question.port, question.timeout)
        : dialUdp(question.to, question.port, question.timeout, question.from)
    case 'open':
      return open(question.to, question.port)
    case 'say':
      return say()
    case 'secure':
      return secure(question.to, question.port, question.ca, question.servername)
    case 'get':
      return get(question.url)
    case 'forward':
      return forward(question.socket)
  }
}

process.on('message', ({ id, question }: { id: number; question: Question }) => {
  void answer(question).then((text) => process.send?.({ id, text }))
})
process.on('disconnect', () => process.exit(0))
process.send?.({ id: 0, text: 'here' })
