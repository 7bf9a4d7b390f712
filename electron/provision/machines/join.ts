/** What the cluster does for a machine that joins: a token for its first request, and waiting until its Node is Ready. */
import { node as nodeKind } from '../../api/core/v1/node.ts'
import { secret as secretKind } from '../../api/core/v1/secret.ts'
import type { Node } from '../../api/core/v1/types.gen.ts'
import { deadline, type Clock } from '../../base/clock.ts'
import { FlotillaError } from '../../base/errors.ts'
import type { Random } from '../../base/random.ts'
import { randomInt } from '../../base/random.ts'
import type { Client } from '../../client/client.ts'
import type { Informer } from '../../client/informer.ts'
import { hasReason } from '../../machinery/status.ts'

const HOUR_MS = 3_600_000
const NAMESPACE = 'kube-system'
const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789'

/** A bootstrap token that holds for an hour. Source: kubernetes "Authenticating with Bootstrap Tokens". */
export async function createBootstrapToken(client: Client, machine: string, options: { clock: Clock; random: Random }): Promise<string> {
  const word = (length: number) => Array.from({ length }, () => LETTERS[randomInt(options.random, LETTERS.length)]).join('')
  const [id, secret] = [word(6), word(16)]
  await client.create(secretKind, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: `bootstrap-token-${id}`, namespace: NAMESPACE },
    type: 'bootstrap.kubernetes.io/token',
    stringData: {
      'token-id': id,
      'token-secret': secret,
      expiration: new Date(options.clock.now() + HOUR_MS).toISOString().replace(/\.\d+Z$/, 'Z'),
      description: `The machine ${machine} joins with this once.`,
      'usage-bootstrap-authentication': 'true',
    },
  })
  return `${id}.${secret}`
}

export async function deleteBootstrapToken(client: Client, token: string): Promise<void> {
  const [id] = token.split('.')
  await client.delete(secretKind, { namespace: NAMESPACE, name: `bootstrap-token-${id}` }).catch(ignoreMissing)
}

export async function deleteNode(client: Client, name: string): Promise<void> {
  await client.delete(nodeKind, { name }).catch(ignoreMissing)
}

function ignoreMissing(error: unknown): void {
  if (!hasReason(error, 'NotFound')) throw error
}

const JOINED_WITHIN_MS = 180_000

export interface JoinTools {
  readonly signal: AbortSignal
  readonly detail: (text: string) => void
  /** What the agent printed last. */
  readonly agentLog: () => Promise<string>
}

/** Resolves when the Node of this name is Ready; rejects with JOIN_TIMEOUT. `since`: a Ready that was seen before does not count. */
export async function untilNodeReady(
  nodes: Informer<Node>,
  name: string,
  options: JoinTools & { clock: Clock; since: number },
): Promise<void> {
  const { signal, detail, clock, agentLog } = options
  using limit = deadline(clock, JOINED_WITHIN_MS, signal)
  const ready = Promise.withResolvers<void>()
  const look = (node: Node | undefined) => {
    const condition = node?.status.conditions?.find(({ type }) => type === 'Ready')
    if (!node) detail('waiting for the agent to sign in')
    else if (condition?.status === 'True' && Date.parse(condition.lastHeartbeatTime ?? '') + 1000 > options.since) {
      detail('the node is Ready')
      ready.resolve()
    } else detail(`the node is there${condition?.message ? `: ${condition.message}` : ''}`)
  }
  using _ = nodes.on({
    add: (node) => void (node.metadata.name === name && look(node)),
    update: (node) => void (node.metadata.name === name && look(node)),
  })
  look(nodes.get(undefined, name))
  const onAbort = () => ready.reject(limit.signal.reason)
  if (limit.signal.aborted) onAbort()
  limit.signal.addEventListener('abort', onAbort, { once: true })
  try {
    await ready.promise
  } catch (error) {
    if (signal.aborted) throw error
    const log = await agentLog().catch(() => '')
    const there = nodes.get(undefined, name) !== undefined
    throw new FlotillaError('JOIN_TIMEOUT', {
      what: `${name} did not become a node within ${JOINED_WITHIN_MS / 60_000} minutes.`,
      why: `${there ? 'Its Node exists but is not Ready.' : 'Its agent did not sign in.'}${log ? ` The agent printed last: ${log}` : ''}`,
      next: "Try again. If it stays, look into the agent's log on the machine.",
    })
  }
}
