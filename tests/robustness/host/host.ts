/** A process with one store, for one life of it: `node host.js ENGINE DIR PORT`. It ends when the runner does. */
import { messageOf } from '../../../electron/base/errors.ts'
import { type Store, StoreError, type Watcher } from '../../../electron/store/store.ts'
import { openEngine } from './open-engine.ts'
import type { FromHost, Refusal, ToHost } from './protocol.ts'

function send(message: FromHost): void {
  process.send?.(message)
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof StoreError) return { code: error.code, message: error.message, compactRevision: error.compactRevision }
  return { code: 'corrupt', message: `not a StoreError: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}` }
}

function call(store: Store, { method, args }: Extract<ToHost, { type: 'call' }>): Promise<unknown> {
  if (method === 'past') return apply(store.history, 'range', args)
  const part = [store, store.lease, store.maintenance].find((one) => method in one)
  return apply(part, method, args)
}

function apply(target: object | null | undefined, method: string, args: readonly unknown[]): Promise<unknown> {
  if (!target) throw new Error(`the engine has no ${method}`)
  return (Reflect.get(target, method) as (...given: readonly unknown[]) => Promise<unknown>).apply(target, [...args])
}

async function follow(id: number, watcher: Watcher): Promise<void> {
  watcher.created.then(
    ({ revision }) => send({ type: 'created', id, revision }),
    () => undefined,
  )
  try {
    for await (const batch of watcher) send({ type: 'batch', id, batch })
    send({ type: 'ended', id, refusal: null })
  } catch (error) {
    send({ type: 'ended', id, refusal: refusalOf(error) })
  }
}

function serve(store: Store): void {
  const watchers = new Map<number, Watcher>()
  process.on('message', (message: ToHost) => {
    switch (message.type) {
      case 'call':
        return void call(store, message).then(
          (value) => send({ type: 'answer', id: message.id, value }),
          (error: unknown) => send({ type: 'refusal', id: message.id, refusal: refusalOf(error) }),
        )
      case 'watch': {
        const watcher = store.watch(message.request)
        watchers.set(message.id, watcher)
        return void follow(message.id, watcher)
      }
      case 'progress':
        return watchers.get(message.id)?.requestProgress()
      case 'cancel':
        void watchers.get(message.id)?.[Symbol.asyncDispose]()
        watchers.delete(message.id)
        return
      case 'close':
        return void opened.disposeAsync().then(() => process.disconnect())
    }
  })
}

const [engine = '', dir = '', port = ''] = process.argv.slice(2)
const opened = new AsyncDisposableStack()
process.on('disconnect', () => process.exit(0))
try {
  serve(await openEngine(opened, engine, dir, Number(port)))
  send({ type: 'opened' })
} catch (error) {
  send({ type: 'openFailed', why: messageOf(error) })
}
