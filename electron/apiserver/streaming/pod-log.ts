/** `pods/log`: a container's output, streamed from the agent that has it. */
import { WebSocket } from 'ws'
import { invalid, type FieldError } from '../../api/values/field-error.ts'
import type { Client } from '../../client/client.ts'
import { badRequest, invalidObject } from '../../machinery/status.ts'
import { acceptWebSocket } from '../http/websocket.ts'
import { flag } from '../request-info.ts'
import type { ApiRequest, ConnectTarget, Connector } from '../types.ts'
import { agentError, type AgentConnections } from './agent-connection.ts'
import { containerOf, findPod } from './pod-target.ts'
import { refuseUpgrade } from './refusal.ts'

const FLAGS: ReadonlySet<string> = new Set(['follow', 'previous', 'timestamps'])
const PASSED = ['follow', 'previous', 'sinceSeconds', 'sinceTime', 'timestamps', 'tailLines', 'limitBytes', 'stream'] as const
/** For clients that read logs over a WebSocket: each message a piece of the stream. */
const MESSAGE_PROTOCOLS = ['binary.k8s.io', 'base64.binary.k8s.io']

export function podLog(client: Client, agents: AgentConnections): Connector {
  const open = async (request: ApiRequest, target: ConnectTarget): Promise<AsyncIterable<Uint8Array>> => {
    check(request.query, target.name)
    const { pod, node } = await findPod(client, target, request.signal)
    const container = containerOf(pod, request.query.get('container'))
    // A pod that is on no node has said nothing yet.
    if (!node) return nothing()
    const query = new URLSearchParams()
    for (const name of PASSED) {
      const value = request.query.get(name)
      // Clients write booleans in their own ways ("True", "1"); agents are told in one.
      if (FLAGS.has(name)) {
        if (flag(value)) query.set(name, 'true')
      } else if (value !== null) query.set(name, value)
    }
    const path = `/containerLogs/${encodeURIComponent(target.namespace)}/${encodeURIComponent(target.name)}/${encodeURIComponent(container)}`
    const answer = await agents.request(node, {
      method: 'GET',
      path: query.size ? `${path}?${query.toString()}` : path,
      signal: request.signal,
    })
    if (answer.type === 'upgrade' || answer.response.statusCode !== 200) throw await agentError(answer.response)
    return answer.response as AsyncIterable<Uint8Array>
  }

  return {
    async answer(request, target) {
      const body = await open(request, target)
      return { status: 200, headers: { 'content-type': 'text/plain', 'cache-control': 'no-cache, private' }, body }
    },
    async upgrade(request, target, socket, head) {
      try {
        const body = await open(request, target)
        await sendMessages(body, await acceptWebSocket(request, socket, head, MESSAGE_PROTOCOLS))
      } catch (error) {
        refuseUpgrade(socket, error)
      }
    },
    open() {
      throw badRequest('logs are read by a plain request')
    },
  }
}

async function* nothing(): AsyncGenerator<Uint8Array, void, void> {}

/** Source: kubernetes core validation, PodLogOptions. */
function check(query: URLSearchParams, name: string): void {
  const errors: FieldError[] = []
  const atLeast = (field: string, least: number, detail: string) => {
    const text = query.get(field)
    if (text === null) return
    if (!/^-?\d+$/.test(text)) throw badRequest(`invalid value ${JSON.stringify(text)} for ${field}: not a whole number`)
    if (Number(text) < least) errors.push(invalid(field, Number(text), detail))
  }
  atLeast('tailLines', 0, 'must be greater than or equal to 0')
  atLeast('limitBytes', 1, 'must be greater than 0')
  atLeast('sinceSeconds', 1, 'must be greater than 0')
  const sinceTime = query.get('sinceTime')
  if (sinceTime !== null && Number.isNaN(Date.parse(sinceTime)))
    throw badRequest(`invalid value ${JSON.stringify(sinceTime)} for sinceTime: not RFC 3339`)
  if (sinceTime !== null && query.has('sinceSeconds'))
    errors.push({
      type: 'FieldValueForbidden',
      field: '',
      message: 'Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified',
    })
  if (errors.length) throw invalidObject({ group: '', kind: 'PodLogOptions' }, name, errors)
}

async function sendMessages(body: AsyncIterable<Uint8Array>, socket: WebSocket): Promise<void> {
  const text = socket.protocol.startsWith('base64.')
  socket.on('error', () => socket.terminate())
  for await (const part of body) {
    if (socket.readyState !== WebSocket.OPEN) return
    const message = text ? Buffer.from(part).toString('base64') : part
    await new Promise<void>((resolve) => socket.send(message, { binary: !text }, () => resolve()))
  }
  socket.close(1000)
}
