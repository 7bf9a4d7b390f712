/** One question to one server. */
import { createSocket } from 'node:dgram'
import { connect, isIPv6 } from 'node:net'
import { deferred } from '../../../base/async.ts'
import { framed, FrameReader } from '../wire/frames.ts'
import { readResponse, type Response } from '../wire/response.ts'
import type { UpstreamQuery } from './question.ts'

export interface Server {
  /** IPv4 or IPv6, with a zone where it needs one. */
  readonly address: string
  readonly port: number
}

/** From a port of its own, so that no stranger can guess where an answer is awaited. Rejects if the server refuses, or with the signal. */
export async function exchangeUdp(server: Server, query: UpstreamQuery, signal: AbortSignal): Promise<Response> {
  signal.throwIfAborted()
  const result = deferred<Response>()
  const socket = createSocket(isIPv6(server.address) ? 'udp6' : 'udp4')
  let open = true
  const onAbort = () => result.reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    socket.on('error', (error) => result.reject(error))
    socket.on('message', (bytes) => {
      const response = readResponse(bytes, query.id, query.question)
      if (response) result.resolve(response)
    })
    // A connected socket hears of nobody else, and of refusals.
    socket.once('connect', () => {
      if (open) socket.send(query.message, (error) => error && result.reject(error))
    })
    socket.connect(server.port, server.address)
    return await result.promise
  } finally {
    signal.removeEventListener('abort', onAbort)
    open = false
    socket.close()
  }
}

/** Rejects if the server refuses or ends the connection without an answer, or with the signal. */
export async function exchangeTcp(server: Server, query: UpstreamQuery, signal: AbortSignal): Promise<Response> {
  signal.throwIfAborted()
  const result = deferred<Response>()
  const socket = connect({ host: server.address, port: server.port, noDelay: true })
  const onAbort = () => result.reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  const frames = new FrameReader()
  try {
    socket.on('error', (error) => result.reject(error))
    socket.on('close', () => result.reject(new Error(`${server.address} ended the connection without an answer`)))
    socket.on('data', (chunk) => {
      for (const bytes of frames.push(chunk)) {
        const response = readResponse(bytes, query.id, query.question)
        if (response) result.resolve(response)
      }
    })
    socket.write(framed(query.message))
    return await result.promise
  } finally {
    signal.removeEventListener('abort', onAbort)
    socket.destroy()
  }
}
