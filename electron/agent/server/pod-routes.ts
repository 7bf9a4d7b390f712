/** Routes to pods of this node. Source: kubernetes `kubelet/server/server.go`. */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { isAbort } from '../../base/async.ts'
import type { Clock } from '../../base/clock.ts'
import type { Pod } from '../../api/core/v1/types.gen.ts'
import type { KubeList } from '../../api/meta/v1/object.ts'
import type { Cri } from '../runtime/cri.ts'
import type { Executor } from '../runtime/exec.ts'
import type { PodCache } from '../kubelet/pleg/pod-cache.ts'
import type { PodManager } from '../kubelet/pods/pod-manager.ts'
import type { PodState } from '../kubelet/pods/pod-state.ts'
import type { Route, RouteRequest, UpgradeRoute } from './agent-server.ts'
import { HttpError } from './http-error.ts'
import { isTrue, logOptions } from './logs/log-options.ts'
import { readLog } from './logs/log-reader.ts'
import type { PodLookup } from './pod-lookup.ts'
import { acceptSpdy, acceptTunnel, isSpdy, isTunnel } from './spdy/accept-spdy.ts'
import { PORT_FORWARD_PROTOCOL, serveSpdyPorts } from './spdy/serve-ports.ts'
import { COMMAND_PROTOCOLS, spdyPeer } from './spdy/spdy-peer.ts'
import { acceptWebSocket } from './streams/accept-websocket.ts'
import { connectPort } from './streams/cri-channels.ts'
import { serveAttach } from './streams/serve-attach.ts'
import { serveExec } from './streams/serve-exec.ts'
import { PORT_PROTOCOLS, servePortForward } from './streams/serve-port-forward.ts'
import type { StreamPeer } from './streams/stream-peer.ts'
import { CHANNEL_PROTOCOLS, WebSocketPeer } from './streams/websocket-peer.ts'

export interface PodRoutesDeps {
  readonly lookup: PodLookup
  readonly pods: PodManager
  readonly cache: PodCache
  readonly cri: Cri
  readonly executor: Executor
  readonly clock: Clock
}

export function podRoutes(deps: PodRoutesDeps): { routes: Route[]; upgrades: UpgradeRoute[] } {
  const { lookup, cache, cri, executor, clock } = deps

  const logs: Route = {
    method: 'GET',
    path: '/containerLogs/*/*/*',
    async handle({ parts: [namespace = '', name = '', container = ''], query, signal }, response) {
      const options = logOptions(query, clock.now())
      const target = lookup.logs(lookup.pod(namespace, name), container, options.previous)
      const source = {
        path: target.path,
        running: () => cache.findContainer(target.containerId)?.container.state === 'running',
        onChange: (listener: () => void) => cache.changed.on((uid) => uid === target.uid && listener()),
      }
      response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' })
      response.flushHeaders()
      try {
        await pipeline(Readable.from(readLog(source, options, clock, signal)), response)
      } catch (error) {
        if (!signal.aborted && !isAbort(error)) throw error
      }
    },
  }

  const pods: Route = {
    method: 'GET',
    path: '/pods',
    async handle(_request, response) {
      const items = deps.pods.workers.map(({ state }) => ({ ...state.pod, status: state.status }))
      const list: KubeList<Pod> = { apiVersion: 'v1', kind: 'PodList', metadata: {}, items }
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(list))
    },
  }

  const exec = commandRoute('exec', (state, container, { query }) => {
    const { id } = lookup.running(state, container)
    const command = query.getAll('command')
    if (!command.length) throw new HttpError(400, 'you must specify at least one command for the container')
    const { tty, stdin } = streamsOf(query)
    return (peer) => serveExec(peer, executor, id, { command, tty, stdin })
  })

  const attach = commandRoute('attach', (state, container, { query }) => {
    const { id } = lookup.running(state, container)
    const { tty } = streamsOf(query)
    return (peer) => serveAttach(peer, cri, id, tty)
  })

  const portForward: UpgradeRoute['upgrade'] = async ({ parts: [namespace = '', name = '', uid], query }, socket, head, message) => {
    const sandbox = lookup.sandbox(lookup.pod(namespace, name, uid))
    const open = (port: number) => connectPort(cri, sandbox, port)
    const upgrade = { socket, head, message }
    if (isSpdy(upgrade)) return serveSpdyPorts(acceptSpdy([PORT_FORWARD_PROTOCOL], upgrade), open)
    if (isTunnel(upgrade, PORT_FORWARD_PROTOCOL)) return serveSpdyPorts(await acceptTunnel(PORT_FORWARD_PROTOCOL, upgrade), open)
    const ports = query.getAll('port').map(Number)
    if (!ports.length || ports.some((port) => !Number.isInteger(port) || port < 1 || port > 65_535)) {
      throw new HttpError(400, 'query parameter "port" is required and must be a port number')
    }
    return servePortForward(await acceptWebSocket(PORT_PROTOCOLS, upgrade), ports, open)
  }

  /** The pod may be named with its uid: /exec/namespace/name/uid/container. */
  function commandRoute(
    verb: string,
    prepare: (state: PodState, container: string, request: RouteRequest) => (peer: StreamPeer) => Promise<void>,
  ): UpgradeRoute[] {
    const upgrade: UpgradeRoute['upgrade'] = async (request, socket, head, message) => {
      const [namespace = '', name = '', third = '', fourth] = request.parts
      const state = lookup.pod(namespace, name, fourth === undefined ? undefined : third)
      const serve = prepare(state, fourth ?? third, request)
      const streams = streamsOf(request.query)
      const asked = { socket, head, message }
      if (isSpdy(asked)) await serve(await spdyPeer(acceptSpdy(COMMAND_PROTOCOLS, asked), streams, clock))
      else await serve(new WebSocketPeer(await acceptWebSocket(CHANNEL_PROTOCOLS, asked), streams))
    }
    return [
      { path: `/${verb}/*/*/*`, upgrade },
      { path: `/${verb}/*/*/*/*`, upgrade },
    ]
  }

  const forwarding = ['/portForward/*/*', '/portForward/*/*/*'].map((path) => ({ path, upgrade: portForward }))
  return { routes: [logs, pods], upgrades: [...exec, ...attach, ...forwarding] }
}

function streamsOf(query: URLSearchParams) {
  const [stdin, stdout, stderr, tty] = ['input', 'output', 'error', 'tty'].map((name) => isTrue(query.get(name))) as [
    boolean,
    boolean,
    boolean,
    boolean,
  ]
  if (!stdin && !stdout && !stderr) throw new HttpError(400, 'you must specify at least 1 of stdin, stdout, stderr')
  // A terminal has one stream for both.
  return { stdin, stdout, stderr: stderr && !tty, tty }
}
