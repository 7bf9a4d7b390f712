/** The containers of one simulated pod, in the shape in which a real node's runtime tells of them. */
import type { Container, Pod } from '../../electron/api/core/v1/types.gen.ts'
import type { RuntimeContainer, RuntimePod } from '../../electron/agent/kubelet/pleg/runtime-pod.ts'
import type { Behaviour } from './behaviour.ts'

/** What a container that does not end of itself exits with when it is told to. */
const TERMINATED = 143

export class HollowRuntime {
  readonly #uid: string
  readonly #changed: () => void
  readonly #now: () => number
  /** Newest first. */
  readonly #containers: RuntimeContainer[] = []
  readonly #running = new Map<string, AbortController>()
  #sandbox: { readonly since: number; readonly ips: readonly string[]; readonly hostNetwork: boolean } | null = null

  /** `changed` is called when a container ended of itself. */
  constructor(pod: Pod, now: () => number, changed: () => void) {
    this.#uid = pod.metadata.uid
    this.#now = now
    this.#changed = changed
  }

  get hasSandbox(): boolean {
    return this.#sandbox !== null
  }

  get isRunning(): boolean {
    return this.#running.size > 0
  }

  startSandbox(ips: readonly string[], hostNetwork: boolean): void {
    this.#sandbox = { since: this.#now(), ips, hostNetwork }
  }

  latest(name: string): RuntimeContainer | undefined {
    return this.#containers.find((container) => container.name === name)
  }

  /** `restarts`: how often it was started before. */
  start(container: Container, restarts: number, behaviour: Behaviour, startedAt = this.#now()): void {
    const id = `${this.#uid}-${container.name}-${restarts}`
    const stopping = new AbortController()
    this.#containers.unshift(this.#describe(container, id, restarts, startedAt))
    this.#running.set(id, stopping)
    void behaviour
      .run(container, restarts, stopping.signal)
      ?.catch(() => TERMINATED)
      .then((code) => this.#end(id, code, true))
  }

  /** Ends all that runs, as a signal does it. */
  kill(): void {
    for (const [id, stopping] of [...this.#running]) {
      this.#end(id, TERMINATED, false)
      stopping.abort(new DOMException('the container is killed', 'AbortError'))
    }
    this.#sandbox = null
  }

  view({ metadata }: Pod): RuntimePod {
    const { name, namespace = '' } = metadata
    const sandbox = this.#sandbox
    const sandboxes = sandbox
      ? [
          {
            ...{ id: `${this.#uid}-sandbox`, metadata: { uid: this.#uid, name, namespace, attempt: 0 }, ready: true },
            ...{ createdAt: sandbox.since, labels: {}, annotations: {}, ips: sandbox.ips, hostNetwork: sandbox.hostNetwork },
          },
        ]
      : []
    return { uid: this.#uid, name, namespace, sandboxes, containers: this.#containers }
  }

  #end(id: string, exitCode: number, tell: boolean): void {
    const at = this.#containers.findIndex((container) => container.id === id)
    const container = this.#containers[at]
    if (!container || !this.#running.delete(id)) return
    const ended: RuntimeContainer = { ...container, state: 'exited', exitCode, finishedAt: this.#now(), reason: reasonOf(exitCode) }
    this.#containers[at] = ended
    // Only the last two of a name are told of.
    const older = this.#containers.filter(({ name }) => name === ended.name).slice(2)
    for (const one of older) this.#containers.splice(this.#containers.indexOf(one), 1)
    if (tell) this.#changed()
  }

  #describe({ name, image = '' }: Container, id: string, attempt: number, startedAt: number): RuntimeContainer {
    return {
      ...{ id, name, attempt, image, startedAt, createdAt: startedAt, sandboxId: `${this.#uid}-sandbox`, state: 'running' },
      ...{ imageRef: `sha256:${'0'.repeat(64)}`, finishedAt: 0, exitCode: 0, reason: '', message: '', terminationMessage: '' },
      ...{ labels: {}, annotations: {}, mounts: [], logPath: '' },
    }
  }
}

function reasonOf(exitCode: number): string {
  return exitCode === 0 ? 'Completed' : 'Error'
}
