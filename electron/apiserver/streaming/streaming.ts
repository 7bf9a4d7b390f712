import type { Random } from '../../base/random.ts'
import type { Client } from '../../client/client.ts'
import { badRequest, methodNotSupported } from '../../machinery/status.ts'
import { flag } from '../request-info.ts'
import type { ApiRequest, ApiResponse, ConnectTarget, Connector } from '../types.ts'
import { createAgentConnections, type AgentConnectionOptions, type AgentConnections } from './agent-connection.ts'
import { agentStream, type AgentLocation, type Locate } from './agent-stream.ts'
import { podLog } from './pod-log.ts'
import { containerOf, findPod } from './pod-target.ts'
import { podProxy } from './proxy.ts'
import { findPodPort, findServicePort } from './proxy-ports.ts'

export interface StreamingOptions extends AgentConnectionOptions {
  /** Chooses among the endpoints of a Service. */
  readonly random: Random
}

/** What is served by nodes' agents: pods' logs, exec, attach, port-forward and proxy, Services' and nodes' proxy. Keys as in `Connector`. */
export function createConnectors(options: StreamingOptions): Readonly<Record<string, Connector>> {
  const { client, random } = options
  const agents = createAgentConnections(options)
  return {
    'pods/log': podLog(client, agents),
    'pods/exec': agentStream(agents, locateContainer(client, 'exec')),
    'pods/attach': agentStream(agents, locateContainer(client, 'attach')),
    'pods/portforward': agentStream(agents, locatePortForward(client)),
    'pods/proxy': podProxy(agents, findPodPort(client)),
    'services/proxy': podProxy(agents, findServicePort(client, random)),
    'nodes/proxy': agentStream(agents, locateNode, proxied(agents)),
  }
}

/** The API's names for the streams, and the agent's. */
const STREAMS = [
  ['stdin', 'input'],
  ['stdout', 'output'],
  ['stderr', 'error'],
] as const

function locateContainer(client: Client, verb: 'exec' | 'attach'): Locate {
  return async ({ query, signal }, target) => {
    const { pod, node } = await findPod(client, target, signal)
    const container = containerOf(pod, query.get('container'))
    mustHaveNode(node, target)
    const passed = new URLSearchParams()
    for (const [ours, theirs] of STREAMS) if (flag(query.get(ours))) passed.set(theirs, '1')
    if (!passed.size) throw badRequest('you must specify at least 1 of stdin, stdout, stderr')
    if (flag(query.get('tty'))) passed.set('tty', '1')
    if (verb === 'exec') for (const word of query.getAll('command')) passed.append('command', word)
    if (verb === 'exec' && !passed.has('command')) throw badRequest('you must specify at least one command for the container')
    return { node, path: `/${verb}/${pathOf(target)}/${encodeURIComponent(container)}?${passed.toString()}` }
  }
}

function locatePortForward(client: Client): Locate {
  return async ({ query, signal }, target) => {
    const { node } = await findPod(client, target, signal)
    mustHaveNode(node, target)
    const passed = new URLSearchParams(
      query.getAll('ports').flatMap((ports) => ports.split(',').map((port): [string, string] => ['port', port])),
    )
    return { node, path: `/portForward/${pathOf(target)}${passed.size ? `?${passed.toString()}` : ''}` }
  }
}

/** The node may be written "https:name:port"; scheme and port are the agent's own in any case. */
const locateNode: Locate = async ({ query }, { name, tail }) => {
  const parts = name.split(':')
  const node = parts.length === 3 ? parts[1] : parts[0]
  const text = query.toString()
  return { node: node ?? '', path: `${tail || '/'}${text ? `?${text}` : ''}` }
}

/** What is posted to an agent goes by subresources of its own, or is none of a client's business. */
const PROXIED: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'DELETE'])

function proxied(agents: AgentConnections) {
  return async (request: ApiRequest, { node, path }: AgentLocation): Promise<ApiResponse> => {
    if (!PROXIED.has(request.method)) throw methodNotSupported({ group: '', resource: 'nodes/proxy' }, request.method)
    const answer = await agents.request(node, { method: request.method, path, signal: request.signal })
    if (answer.type === 'upgrade') throw badRequest('the agent upgraded a plain request')
    const { response } = answer
    const type = response.headers['content-type'] ?? 'application/octet-stream'
    return { status: response.statusCode ?? 502, headers: { 'content-type': type }, body: response as AsyncIterable<Uint8Array> }
  }
}

function mustHaveNode(node: string, { name }: ConnectTarget): void {
  if (!node) throw badRequest(`pod ${name} does not have a host assigned`)
}

function pathOf({ namespace, name }: ConnectTarget): string {
  return `${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`
}
