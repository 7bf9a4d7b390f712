/** The `kube.*` channels: the Kubernetes API for the UI, through the in-process client. */
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import { defineKind, pathOf, type AnyKind } from '../../api/kind.ts'
import { withoutManagedFields } from '../../api/meta/v1/managed-fields.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { readBody } from '../../client/bytes.ts'
import type { Client, RawResponse } from '../../client/client.ts'
import type { Channels } from '../../contracts/channels.ts'
import type { Handlers } from '../../contracts/server.ts'
import { StatusError, type Status } from '../../machinery/status.ts'
import { runChannels } from './exec.ts'
import { listHandlers } from './lists.ts'
import { follow, type Followed } from '../live/follow.ts'

type KubeHandlers = Pick<
  Handlers<Channels>,
  'kube.request' | 'kube.live' | 'kube.logs' | 'kube.attach' | 'kube.exec' | 'lists.rows' | 'lists.pods'
>

const PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io']

export function kubeHandlers(deps: { client: Client; clock: Clock; random: Random; kinds: readonly AnyKind[] }): KubeHandlers {
  const { client } = deps
  return {
    ...listHandlers(deps),
    async 'kube.request'({ method, path, query, contentType, accept = 'application/json', body }, signal) {
      const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body)
      const headers = { accept, ...(text === undefined ? {} : { 'content-type': contentType ?? 'application/json' }) }
      const response = await client.request({
        method,
        path,
        headers,
        signal,
        ...(query ? { query } : {}),
        ...(text === undefined ? {} : { body: text }),
      })
      const answer = (await readBody(response)).toString('utf8')
      const json = answer !== '' && (response.headers['content-type'] ?? '').includes('json')
      return { status: response.status, warnings: warningsOf(response), body: json ? JSON.parse(answer) : answer }
    },

    async 'kube.live'({ group, version, resource, ...selection }, duplex) {
      const known = deps.kinds.find((k) => k.group === group && k.version === version && k.resource === resource)
      const kind = known ?? anonymousKind(group, version, resource)
      const send = (update: Followed) => {
        if (update.type === 'stale') return duplex.send(update)
        if (update.type === 'reset') return duplex.send({ ...update, items: update.items.map(shown) })
        return duplex.send({ ...update, upserts: update.upserts.map(shown), deletes: [...update.deletes] })
      }
      await follow(deps, { kind, ...selection }, send, duplex.signal)
    },

    async 'kube.logs'({ namespace, pod, ...options }, duplex) {
      const query = Object.fromEntries(
        Object.entries(options)
          .filter(([, value]) => value !== undefined)
          .map(([key, value]) => [key, String(value)]),
      )
      const path = pathOf({ group: '', version: 'v1', resource: 'pods' }, namespace, pod, 'log')
      const response = await client.request({ method: 'GET', path, query, signal: duplex.signal })
      if (response.status >= 400) throw await statusOf(response)
      await using body = response.body
      for await (const chunk of body) await duplex.send({}, chunk)
    },

    async 'kube.attach'({ namespace, pod, container, tty, size }, duplex) {
      const query = { stdin: 'true', stdout: 'true', stderr: String(!tty), tty: String(tty), ...(container ? { container } : {}) }
      const path = pathOf({ group: '', version: 'v1', resource: 'pods' }, namespace, pod, 'attach')
      await using socket = await client.websocket({ path, query, protocols: PROTOCOLS, signal: duplex.signal })
      await runChannels(socket, duplex, size)
    },

    async 'kube.exec'({ namespace, pod, container, command, tty, size }, duplex) {
      const query = { command, stdin: 'true', stdout: 'true', stderr: String(!tty), tty: String(tty), ...(container ? { container } : {}) }
      const path = pathOf({ group: '', version: 'v1', resource: 'pods' }, namespace, pod, 'exec')
      const protocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io']
      await using socket = await client.websocket({ path, query, protocols, signal: duplex.signal })
      await runChannels(socket, duplex, size)
    },
  }
}

async function statusOf(response: RawResponse): Promise<StatusError> {
  const text = (await readBody(response)).toString('utf8')
  try {
    const status = JSON.parse(text) as Status
    if (status.kind === 'Status') return new StatusError(status)
  } catch {
    // Not a Status: what came is the message.
  }
  return new StatusError({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message: text, code: response.status })
}

/** Texts of `Warning: 299 - "…"` headers (RFC 9111 5.5). */
function warningsOf(response: RawResponse): string[] {
  const header = response.headers['warning'] ?? ''
  return [...header.matchAll(/\d{3} \S+ "((?:[^"\\]|\\.)*)"/g)].map((match) => (match[1] ?? '').replace(/\\(.)/g, '$1'))
}

/** A kind that is served but not built in: only its path matters to list and watch. */
function anonymousKind(group: string, version: string, resource: string): AnyKind {
  return defineKind({ group, version, resource, kind: '', model: '', namespaced: true })
}

/** The UI has no use for field ownership, and it is often the larger half of an object. */
function shown(object: KubeObject): KubeObject {
  return 'managedFields' in object.metadata ? { ...object, metadata: withoutManagedFields(object.metadata) } : object
}
