/** Ports of a pod over SPDY: two streams for each connection, one for its data and one for what goes wrong. Source: kubernetes `portforward/httpstream.go`. */
import { pipeline } from 'node:stream/promises'
import { messageOf } from '../../../base/errors.ts'
import type { PortOpener } from '../streams/serve-port-forward.ts'
import type { SpdySession, SpdyStream } from './session.ts'

export const PORT_FORWARD_PROTOCOL = 'portforward.k8s.io'

/** Ends with the connection. */
export async function serveSpdyPorts(session: SpdySession, open: PortOpener): Promise<void> {
  const pairs = new Map<string, { data?: SpdyStream; error?: SpdyStream }>()
  for await (const stream of session.opened) {
    const { streamtype: type, requestid, port } = stream.headers
    // Clients of old number neither: their error stream comes right before the data.
    const request = requestid ?? String(type === 'error' ? stream.id : stream.id - 2)
    const pair = pairs.get(request) ?? {}
    if (type === 'data') pair.data = stream
    else if (type === 'error') pair.error = stream
    else {
      stream.channel.destroy()
      continue
    }
    pairs.set(request, pair)
    const { data, error } = pair
    if (!data || !error) continue
    pairs.delete(request)
    void connect(data, error, Number(port), open)
  }
}

async function connect(data: SpdyStream, fault: SpdyStream, port: number, open: PortOpener): Promise<void> {
  fault.channel.resume()
  try {
    const target = await open(port)
    target.on('error', () => undefined)
    await Promise.all([pipeline(target, data.channel), pipeline(data.channel, target)])
    fault.channel.end()
  } catch (error) {
    fault.channel.end(`error forwarding port ${port} to pod: ${messageOf(error)}`)
    data.channel.destroy()
  }
}
