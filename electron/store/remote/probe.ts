import { connect as connectPlain, type Socket } from 'node:net'
import { connect as connectSecure } from 'node:tls'
import { type Clock, deadline } from '../../base/clock.ts'
import { messageOf, systemCode } from '../../base/errors.ts'
import type { Address, EtcdTls } from './endpoint.ts'

/** How long a member may take to say anything, in milliseconds. */
const PATIENCE = 3000
/** The HTTP/2 connection preface and an empty SETTINGS frame (RFC 9113, 3.4). */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1')
const FRAME_HEADER = 9
const SETTINGS = 4

/**
 * `ready`: it speaks HTTP/2. `away`: it cannot be reached now, which may change. `refused`: it will not serve this client, or is none:
 * waiting is in vain.
 */
export type Probe = { readonly state: 'ready' } | { readonly state: 'away' | 'refused'; readonly why: string }

/**
 * Makes a connection by hand and looks at how it ends, because gRPC tries again whatever the reason. A server that does not like the
 * client's certificate says so only after the handshake (TLS 1.3), so that its first frame is waited for.
 */
export async function probe(address: Address, tls: EtcdTls, clock: Clock): Promise<Probe> {
  using limit = deadline(clock, PATIENCE)
  const socket = open(address, tls)
  try {
    return await answerOf(socket, address.secure, limit.signal)
  } finally {
    socket.destroy()
  }
}

function open({ host, port, secure }: Address, { ca, cert, key }: EtcdTls): Socket {
  if (!secure) return connectPlain({ host, port })
  return connectSecure({ host, port, ca, cert, key, ALPNProtocols: ['h2'] })
}

function answerOf(socket: Socket, secure: boolean, signal: AbortSignal): Promise<Probe> {
  return new Promise((resolve) => {
    let received = Buffer.alloc(0)
    let connected = false
    socket.on(secure ? 'secureConnect' : 'connect', () => {
      connected = true
      socket.write(PREFACE)
    })
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      if (received.length >= FRAME_HEADER) resolve(judge(received))
    })
    socket.on('error', (error) => resolve(failed(error, connected)))
    socket.on('close', () => {
      const why = secure
        ? 'it ended the connection: does it accept this client’s certificate?'
        : 'it ended the connection: does it want TLS?'
      resolve(connected ? { state: 'refused', why } : { state: 'away', why: 'the connection was not made' })
    })
    signal.addEventListener('abort', () => resolve({ state: 'away', why: 'it does not answer' }))
  })
}

function judge(bytes: Buffer): Probe {
  if (bytes[3] === SETTINGS && bytes.readUInt32BE(5) === 0) return { state: 'ready' }
  if (bytes.toString('latin1', 0, 5) === 'HTTP/')
    return { state: 'refused', why: 'it speaks HTTP/1, not gRPC: is this the port for clients?' }
  if (bytes[0] === 0x15 && bytes[1] === 3) return { state: 'refused', why: 'it wants TLS: write its URL with https' }
  return { state: 'refused', why: 'it does not speak gRPC: is this an etcd member’s port for clients?' }
}

/** Not being there is passing, as is being cut off before the connection stood; what TLS says is final. */
function failed(error: Error, connected: boolean): Probe {
  const code = systemCode(error) ?? ''
  const network = ['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EPIPE'].includes(code)
  if (network || (code === 'ECONNRESET' && !connected)) return { state: 'away', why: messageOf(error) }
  if (code === 'ECONNRESET') return { state: 'refused', why: 'it ended the connection' }
  return { state: 'refused', why: messageOf(error) }
}
