/** Pods whose containers really run, and what is seen of them. */
import assert from 'node:assert/strict'
import { pod } from '../../../electron/api/kinds.gen.ts'
import type { Container, ContainerStatus, Pod, PodSpec } from '../../../electron/api/core/v1/types.gen.ts'
import type { Draft } from '../../../electron/api/meta/v1/object.ts'
import { eventually, ignoreMissing, type BehaviourContext } from './behaviour.ts'
import { send } from './raw.ts'

/** Ends of itself when told to, unlike a plain `sleep`. */
export const STAY = 'trap exit TERM; sleep 100000 & wait'

/** A container of the tests' image that runs a shell script. */
export const shell = ({ image }: BehaviourContext, script: string, more: Draft<Container> = {}): Draft<Container> => ({
  ...{ name: 'main', image, command: ['/bin/sh', '-c', script] },
  ...more,
})

/** A container with the server that lib/server.ts is, on port 8080. */
export const serving = ({ image }: BehaviourContext, env: Record<string, string> = {}, more: Draft<Container> = {}): Draft<Container> => ({
  ...{ name: 'main', image, command: ['node', '/server.ts'] },
  env: Object.entries(env).map(([name, value]) => ({ name, value })),
  readinessProbe: { httpGet: { path: '/hostname', port: 8080 }, periodSeconds: 1 },
  ...more,
})

export interface PodDraft {
  readonly name?: string
  readonly labels?: Record<string, string>
  readonly annotations?: Record<string, string>
}

/** Pods are told to end in a second where they do not say otherwise. */
export async function createPod(
  context: BehaviourContext,
  spec: Draft<PodSpec>,
  { name = context.unique('pod'), ...metadata }: PodDraft = {},
): Promise<Pod> {
  const { client, namespace } = context
  const made = await client.create(pod, {
    metadata: { ...metadata, name, namespace },
    spec: { terminationGracePeriodSeconds: 1, ...spec },
  })
  context.afterwards(() => client.delete(pod, { name, namespace }, { gracePeriodSeconds: 0 }).catch(ignoreMissing))
  return made
}

/** The pod as soon as it is as wanted. */
export async function untilPod(
  { client, signal }: BehaviourContext,
  { metadata: { name, namespace } }: Pod,
  what: string,
  wanted: (pod: Pod) => boolean | undefined,
): Promise<Pod> {
  let last: Pod | undefined
  try {
    return await eventually(signal, `${name}: ${what}`, async () => {
      last = await client.get(pod, { name, namespace })
      return wanted(last) ? last : null
    })
  } catch (error) {
    throw new Error(`${(error as Error).message}; its status was ${JSON.stringify(last?.status)}`, { cause: error })
  }
}

export const isReady = ({ status }: Pod) =>
  status.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false

/** Made, and Ready. */
export async function startPod(context: BehaviourContext, spec: Draft<PodSpec>, draft?: PodDraft): Promise<Pod> {
  return untilPod(context, await createPod(context, spec, draft), 'is ready', isReady)
}

/** Made with restartPolicy Never, and run to its end. */
export async function finishPod(context: BehaviourContext, spec: Draft<PodSpec>, draft?: PodDraft): Promise<Pod> {
  const made = await createPod(context, { restartPolicy: 'Never', ...spec }, draft)
  return untilPod(context, made, 'has ended', ({ status }) => status.phase === 'Succeeded' || status.phase === 'Failed')
}

/** What a pod printed that ran to success. */
export async function outputOf(context: BehaviourContext, spec: Draft<PodSpec>, draft?: PodDraft): Promise<string> {
  const ended = await finishPod(context, spec, draft)
  const log = await logOf(context, ended)
  assert.equal(ended.status.phase, 'Succeeded', `the pod failed: ${log}; ${JSON.stringify(ended.status.containerStatuses)}`)
  return log
}

export async function logOf({ client }: BehaviourContext, { metadata: { name, namespace } }: Pod, query = ''): Promise<string> {
  const { status, text } = await send(client, 'GET', `/api/v1/namespaces/${namespace}/pods/${name}/log${query}`)
  assert.equal(status, 200, text)
  return text
}

/** The output of a command in the pod's container; throws if it exits otherwise than with 0. */
export async function execIn(context: BehaviourContext, { metadata }: Pod, script: string, container = 'main'): Promise<string> {
  const command = ['exec', metadata.name, '-c', container, '--', '/bin/sh', '-c', script]
  const { code, out, err } = await context.kubectl(command, { namespace: metadata.namespace ?? context.namespace })
  assert.equal(code, 0, `${script}: ${err}${out}`)
  return out
}

/** A name and value for each line "NAME=value" that has one. */
export function environment(output: string): Map<string, string> {
  return new Map(
    output
      .split('\n')
      .filter((line) => line.includes('='))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )
}

export function containerStatus({ status }: Pod, name = 'main'): ContainerStatus {
  const found = status.containerStatuses?.find((container) => container.name === name)
  assert.ok(found, `there is no status of the container ${name}`)
  return found
}

/** For rows in which something must not happen. */
export async function holds(context: BehaviourContext, seconds: number, check: () => Promise<void>): Promise<void> {
  for (const end = performance.now() + seconds * 1000; performance.now() < end;) {
    context.signal.throwIfAborted()
    await check()
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}
