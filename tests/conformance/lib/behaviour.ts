/** What a behaviour's test is given, and the waiting that all of them need. */
import { execFile } from 'node:child_process'
import { namespace as namespaceKind } from '../../../electron/api/core/v1/namespace.ts'
import { systemRandom, randomSuffix } from '../../../electron/base/random.ts'
import type { Client } from '../../../electron/client/client.ts'
import { hasReason } from '../../../electron/machinery/status.ts'
import type { Cluster } from './cluster.ts'

/** One test, under its row's id. It fails by throwing. */
export type Behaviour = (context: BehaviourContext) => Promise<void>
export type Behaviours = Readonly<Record<string, Behaviour>>

export interface BehaviourContext {
  /** As the cluster's administrator. */
  readonly client: Client
  /** Of this test alone; deleted after it. */
  readonly namespace: string
  /** Aborts when the time is up. */
  readonly signal: AbortSignal
  readonly nodes: number
  /** Of containers that run; none is there without nodes. */
  readonly image: string
  readonly kubeconfig: string
  /** A name that nobody else uses. */
  readonly unique: (prefix: string) => string
  /** A further namespace, deleted after the test. */
  readonly anotherNamespace: () => Promise<string>
  /** Runs after the test, whatever came of it; last added first. */
  readonly afterwards: (work: () => Promise<unknown>) => void
  readonly kubectl: (
    args: readonly string[],
    options?: { input?: string; namespace?: string | null },
  ) => Promise<{ code: number; out: string; err: string }>
}

export function createContext(cluster: Cluster, id: string, stack: AsyncDisposableStack, signal: AbortSignal): Promise<BehaviourContext> {
  const { client, kubeconfig, nodes, image } = cluster
  const unique = (prefix: string) => `${prefix}-${randomSuffix(systemRandom, 8)}`
  const afterwards = (work: () => Promise<unknown>) =>
    stack.defer(async () => {
      await work()
    })
  const anotherNamespace = async () => {
    const name = unique(id.slice(0, 40))
    await client.create(namespaceKind, { metadata: { name, labels: { 'conformance-test': 'true' } } })
    afterwards(() => client.delete(namespaceKind, { name }).catch(ignoreMissing))
    return name
  }
  return anotherNamespace().then((namespace) => ({
    ...{ client, kubeconfig, nodes, image, namespace, signal, unique, anotherNamespace, afterwards },
    kubectl: (args, options = {}) => {
      const inNamespace = options.namespace === null ? [] : ['--namespace', options.namespace ?? namespace]
      return kubectl(['--kubeconfig', kubeconfig, ...inNamespace, ...args], options.input ?? '', signal)
    },
  }))
}

export function ignoreMissing(error: unknown): void {
  if (!hasReason(error, 'NotFound', 'Conflict')) throw error
}

/** Asks until the answer is neither null, undefined nor false; `what` is said when the time is up. */
export async function eventually<T>(
  signal: AbortSignal,
  what: string,
  look: () => Promise<T> | T,
): Promise<NonNullable<Exclude<T, false>>> {
  let last: unknown
  for (;;) {
    try {
      const found = await look()
      if (found !== null && found !== undefined && found !== false) return found as NonNullable<Exclude<T, false>>
      last = undefined
    } catch (error) {
      last = error
    }
    if (signal.aborted) throw new Error(`not in time: ${what}`, { cause: last })
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

function kubectl(args: readonly string[], input: string, signal: AbortSignal): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    const child = execFile('kubectl', args, { signal, maxBuffer: 64 * 1024 * 1024 }, (error, out, err) => {
      resolve({ code: error ? (typeof error.code === 'number' ? error.code : 1) : 0, out, err })
    })
    child.stdin?.end(input)
  })
}
