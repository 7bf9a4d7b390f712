/** Connections to nodes' agents: mutual TLS over whatever stream reaches the node. */
import http from 'node:http'
import { isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import { checkServerIdentity, connect, type TLSSocket } from 'node:tls'
import { node as nodeKind } from '../../api/core/v1/node.ts'
import { deadline, type Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import type { Client } from '../../client/client.ts'
import { REASONS } from '../../client/errors.ts'
import { failure, internal, StatusError, unavailable, type Status } from '../../machinery/status.ts'
import type { NodeDialer } from '../types.ts'
import { exchange, type Answer } from './exchange.ts'

export interface AgentConnectionOptions {
  readonly client: Client
  readonly dialer: NodeDialer
  /** PEM of the authority that agents' certificates come from. */
  readonly caPem: string
  /** What the API server shows to agents. */
  readonly identity: () => { readonly cert: string; readonly key: string }
  readonly clock: Clock
}

export interface AgentRequest {
  readonly method: string
  /** With query. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

export interface AgentConnections {
  /** A verified TLS stream to the agent of a node. Throws StatusError 404 for an unknown node, 503 where it cannot be reached. */
  connect(node: string, signal: AbortSignal): Promise<TLSSocket>
  /** One request on a connection of its own; aborting ends it. */
  request(node: string, request: AgentRequest): Promise<Answer>
}

const AGENT_PORT = 10250
const CONNECT_TIMEOUT = 10_000

export function createAgentConnections(options: AgentConnectionOptions): AgentConnections {
  const { client, dialer, caPem, identity, clock } = options

  const open = async (node: string, signal: AbortSignal): Promise<TLSSocket> => {
    const { status } = await client.get(nodeKind, { name: node }, { signal })
    const port = status.daemonEndpoints?.kubeletEndpoint?.Port || AGENT_PORT
    using limit = deadline(clock, CONNECT_TIMEOUT, signal)
    try {
      const stream = await dialer.dial(node, port, limit.signal)
      return await handshake(stream, node, { ...identity(), ca: caPem }, limit.signal)
    } catch (error) {
      if (signal.aborted) throw signal.reason
      if (error instanceof StatusError) throw error
      throw unavailable(`the agent of node ${JSON.stringify(node)} cannot be reached: ${messageOf(error)}`)
    }
  }

  return {
    connect: open,
    async request(node, { method, path, headers, signal }) {
      const socket = await open(node, signal)
      return exchange(socket, { method, path, headers: { host: node, ...headers }, signal }, `the agent of node ${JSON.stringify(node)}`)
    },
  }
}

/** The certificate must be for the node's name, which may look like an address. */
function handshake(
  socket: Duplex,
  node: string,
  options: { cert: string; key: string; ca: string },
  signal: AbortSignal,
): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const secure = connect({
      socket,
      ...options,
      ...(isIP(node) ? {} : { servername: node }),
      checkServerIdentity: (_name, certificate) => checkServerIdentity(node, certificate),
    })
    const fail = (error: unknown) => {
      secure.destroy()
      socket.destroy()
      reject(error)
    }
    const onAbort = () => fail(signal.reason)
    secure.once('secureConnect', () => {
      signal.removeEventListener('abort', onAbort)
      secure.off('error', fail)
      // Whoever relays or reads hears of it through the closed stream.
      secure.on('error', () => undefined)
      resolve(secure)
    })
    secure.once('error', fail)
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
  })
}

/** What an agent's refusal, a line of text or a Status, is to the client. */
export async function agentError(response: http.IncomingMessage): Promise<StatusError> {
  const parts: Uint8Array[] = []
  for await (const part of response) parts.push(part as Uint8Array)
  const text = Buffer.concat(parts).toString('utf8').trim()
  const code = response.statusCode ?? 500
  try {
    const status = JSON.parse(text) as Status
    if (status.kind === 'Status') return new StatusError(status)
  } catch {
    // Plain text, as a kubelet answers.
  }
  const reason = code === 500 ? undefined : REASONS[code]
  if (!reason) return internal(new Error(text || `the agent answered ${code}`))
  return failure(code, reason, text || http.STATUS_CODES[code] || reason)
}
