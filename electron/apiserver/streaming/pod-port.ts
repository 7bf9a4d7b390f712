/**
 * A stream to a port of a pod, through its node's agent: the WebSocket form of port-forward, in which each port has a channel for data
 * and one for errors, and each begins with the port's number. Source: kubelet `portforward/websocket.go`.
 */
import { Duplex } from 'node:stream'
import type { ChannelSocket } from '../../client/client.ts'
import { unavailable } from '../../machinery/status.ts'
import type { AgentConnections } from './agent-connection.ts'
import { openChannels } from './agent-stream.ts'

export interface PodPort {
  readonly node: string
  readonly namespace: string
  readonly pod: string
  readonly port: number
}

const PROTOCOLS = ['v4.channel.k8s.io']
const DATA = 0
const ERROR = 1
const PORT_BYTES = 2

export async function openPodPort(agents: AgentConnections, at: PodPort, signal: AbortSignal): Promise<Duplex> {
  const path = `/portForward/${encodeURIComponent(at.namespace)}/${encodeURIComponent(at.pod)}?port=${at.port}`
  return portStream(await openChannels(agents, at.node, path, PROTOCOLS, signal), `port ${at.port} of pod ${at.pod}`)
}

/** Of bytes, not of objects: TLS goes over no other. */
function portStream(socket: ChannelSocket, what: string): Duplex {
  const parts = data(socket, what)
  const read = async () => {
    try {
      const { value } = await parts.next()
      stream.push(value ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : null)
    } catch (error) {
      stream.destroy(error as Error)
    }
  }
  const write = async (part: Buffer, done: (error?: Error | null) => void) => {
    let failure: Error | null = null
    await socket.send(Buffer.concat([Buffer.of(DATA), part])).catch((error: unknown) => (failure = error as Error))
    done(failure)
  }
  const stream = new Duplex({
    read: () => void read(),
    write: (part: Buffer, _encoding, done) => void write(part, done),
  })
  stream.once('close', () => void socket[Symbol.asyncDispose]())
  return stream
}

async function* data(socket: ChannelSocket, what: string): AsyncGenerator<Uint8Array, void, void> {
  const skipped: Record<number, number> = { [DATA]: 0, [ERROR]: 0 }
  for await (const message of socket.messages) {
    const channel = message[0] ?? 0
    const missing = PORT_BYTES - (skipped[channel] ?? PORT_BYTES)
    const head = Math.min(missing, message.length - 1)
    skipped[channel] = (skipped[channel] ?? 0) + head
    const rest = message.subarray(1 + head)
    if (!rest.length) continue
    if (channel === ERROR) throw unavailable(`${what}: ${Buffer.from(rest).toString('utf8')}`)
    if (channel === DATA) yield rest
  }
}
