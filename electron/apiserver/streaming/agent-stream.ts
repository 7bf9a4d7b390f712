/** Connectors that hand a request on to an agent: upgrades byte for byte, so that client and agent choose the protocol between them. */
import type { Duplex } from 'node:stream'
import { WebSocket } from 'ws'
import { deferred } from '../../base/async.ts'
import { channelSocket } from '../../client/channel-socket.ts'
import type { ChannelSocket } from '../../client/client.ts'
import { badRequest, unavailable } from '../../machinery/status.ts'
import type { ApiRequest, ApiResponse, ConnectTarget, Connector } from '../types.ts'
import { agentError, type AgentConnections } from './agent-connection.ts'
import { refuseUpgrade } from './refusal.ts'
import { relay } from './relay.ts'

export interface AgentLocation {
  readonly node: string
  /** With query. */
  readonly path: string
}

/** Where a request goes. Throws StatusError. */
export type Locate = (request: ApiRequest, target: ConnectTarget) => Promise<AgentLocation>

/** What the two ends need to agree; everything else in the head is between client and API server. */
const UPGRADE_HEADERS = [
  'connection',
  'upgrade',
  'sec-websocket-key',
  'sec-websocket-version',
  'sec-websocket-protocol',
  'sec-websocket-extensions',
  'x-stream-protocol-version',
]
/** Carries the client's own credentials, which are not the agent's business. */
const BEARER_PROTOCOL = 'base64url.bearer.authorization.k8s.io.'

export function agentStream(
  agents: AgentConnections,
  locate: Locate,
  answer: (request: ApiRequest, at: AgentLocation) => Promise<ApiResponse> = async () => {
    throw badRequest('Upgrade request required')
  },
): Connector {
  return {
    answer: async (request, target) => answer(request, await locate(request, target)),
    async upgrade(request, target, socket, head) {
      const gone = new AbortController()
      const onClose = () => gone.abort(new Error('the client went away'))
      socket.once('close', onClose)
      try {
        const { node, path } = await locate(request, target)
        const signal = AbortSignal.any([request.signal, gone.signal])
        const answered = await agents.request(node, { method: request.method, path, headers: upgradeHeaders(request), signal })
        if (answered.type === 'response') throw await agentError(answered.response)
        await joinUpgrade(socket, head, answered)
      } catch (error) {
        refuseUpgrade(socket, error)
      } finally {
        socket.off('close', onClose)
      }
    },
    async open(request, target, protocols) {
      const { node, path } = await locate(request, target)
      return openChannels(agents, node, path, protocols, request.signal)
    },
  }
}

function upgradeHeaders({ headers }: ApiRequest): Record<string, string> {
  const out: Record<string, string> = {}
  for (const name of UPGRADE_HEADERS) {
    const value = headers[name]
    if (value !== undefined) out[name] = value
  }
  const protocols = (headers['sec-websocket-protocol'] ?? '').split(',').map((one) => one.trim())
  const kept = protocols.filter((one) => one && !one.startsWith(BEARER_PROTOCOL))
  if (kept.length) out['sec-websocket-protocol'] = kept.join(', ')
  else delete out['sec-websocket-protocol']
  return out
}

/** Hands the agent's answer to the client as it came, then what either says. */
export async function joinUpgrade(
  socket: Duplex,
  head: Uint8Array,
  answered: { response: { statusCode?: number | undefined; rawHeaders: string[] }; socket: Duplex; head: Uint8Array },
): Promise<void> {
  const { rawHeaders, statusCode = 101 } = answered.response
  const lines = [`HTTP/1.1 ${statusCode} Switching Protocols`]
  for (let i = 0; i < rawHeaders.length; i += 2) lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`)
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  if (answered.head.length) socket.write(answered.head)
  if (head.length) answered.socket.write(head)
  await relay(socket, answered.socket)
}

/** A WebSocket to an agent, opened from here. Throws StatusError if it is refused. */
export async function openChannels(
  agents: AgentConnections,
  node: string,
  path: string,
  protocols: readonly string[],
  signal: AbortSignal,
): Promise<ChannelSocket> {
  const stream = await agents.connect(node, signal)
  const what = `WebSocket to node ${node}`
  const opened = deferred<ChannelSocket>()
  const socket = new WebSocket(`ws://${node}${path}`, [...protocols], { createConnection: () => stream, perMessageDeflate: false })
  const onAbort = () => {
    opened.reject(signal.reason)
    socket.terminate()
  }
  signal.addEventListener('abort', onAbort, { once: true })
  socket.once('close', () => signal.removeEventListener('abort', onAbort))
  socket.once('open', () => opened.resolve(channelSocket(socket, what)))
  socket.on('error', (error) => opened.reject(unavailable(`${what}: ${error.message}`)))
  socket.once('unexpected-response', (_request, response) => {
    void agentError(response).then((error) => {
      opened.reject(error)
      socket.terminate()
    })
  })
  return opened.promise
}
