/**
 * One way to start anything: `create(deps) -> Component`. Nothing happens in `create`; `start` begins the work and returns when
 * the component is ready to be used; disposing ends it and gives back everything it took. Starting twice is a defect.
 */
export interface Component extends AsyncDisposable {
  /** `pending` until `start` has finished, `ready`, then `stopped` for ever. */
  readonly state: ComponentState
  start(signal?: AbortSignal): Promise<void>
}

export type ComponentState = 'pending' | 'starting' | 'ready' | 'stopped'

/** Builds a Component from what it does on start; `stack` is disposed, last in first out, when it stops or when start fails. */
export function component(run: (stack: AsyncDisposableStack, signal: AbortSignal) => Promise<void>): Component {
  let state: ComponentState = 'pending'
  const stack = new AsyncDisposableStack()
  const stopping = new AbortController()
  return {
    get state() {
      return state
    },
    async start(signal) {
      if (state !== 'pending') throw new Error(`a component is started once; this one is ${state}`)
      state = 'starting'
      const onAbort = () => stopping.abort(signal?.reason)
      signal?.addEventListener('abort', onAbort, { once: true })
      try {
        signal?.throwIfAborted()
        await run(stack, stopping.signal)
        state = 'ready'
      } catch (error) {
        state = 'stopped'
        stopping.abort(error)
        await stack.disposeAsync()
        throw error
      } finally {
        signal?.removeEventListener('abort', onAbort)
      }
    },
    async [Symbol.asyncDispose]() {
      if (state === 'stopped') return
      state = 'stopped'
      stopping.abort(new DOMException('stopped', 'AbortError'))
      await stack.disposeAsync()
    },
  }
}

/** The component with what else it offers. */
export function componentWith<T extends Component>(base: Component, offered: Omit<T, keyof Component>): T {
  return Object.defineProperties(offered, Object.getOwnPropertyDescriptors(base)) as T
}

/** The stack form of `start`: starts the component and lets the stack dispose it. */
export async function startIn<T extends Component>(stack: AsyncDisposableStack, part: T, signal?: AbortSignal): Promise<T> {
  stack.use(part)
  await part.start(signal)
  return part
}
