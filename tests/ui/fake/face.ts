/** The app's end of the contract, over the real API server and imitations of machines, shells and logs. */
import { systemClock } from '../../../electron/base/clock.ts'
import { systemRandom } from '../../../electron/base/random.ts'
import { readBody } from '../../../electron/client/bytes.ts'
import type { Client } from '../../../electron/client/client.ts'
import { CHANNELS, type Channels } from '../../../electron/contracts/channels.ts'
import type { Message, Port } from '../../../electron/contracts/protocol.ts'
import { serveConnection, type Handlers } from '../../../electron/contracts/server.ts'
import { describeFailure } from '../../../electron/plane/face/describe.ts'
import { kubeHandlers } from '../../../electron/plane/face/kube.ts'
import { KINDS } from '../../../electron/api/kinds.gen.ts'
import { NAMESPACE, NODE } from './cluster.ts'
import { fakeMetrics } from './metrics.ts'
import { fakeHelm, type FakeHelm } from './helm.ts'
import { streamLog } from './logs.ts'
import { machineHandlers } from './machines.ts'
import { createShell } from './shell.ts'
import { runTar } from './tar.ts'

export interface FaceOptions extends FakeHelm {
  /** How long each step of a machine's set-up takes. */
  readonly stepMs?: number
  /** Why this computer can make no sandbox. */
  readonly lacksSandbox?: string
  /** How long requests to the API take longer, in milliseconds. */
  delay?: number
}

type TerminalStream = Parameters<Handlers<Channels>['kube.exec']>[1]

async function runShell(host: string, duplex: TerminalStream): Promise<void> {
  const shell = createShell(host)
  const out = (text: string) => duplex.send({ type: 'stdout' }, new TextEncoder().encode(text))
  await out(shell.prompt)
  for await (const { value, bytes } of duplex) {
    if (value.type !== 'stdin' || !bytes) continue
    await out(shell.type(new TextDecoder().decode(bytes)))
    if (shell.code !== null) return duplex.send({ type: 'exit', code: shell.code })
  }
}

export function faceHandlers(client: Client, options: FaceOptions): Handlers<Channels> {
  const origin = systemClock.now()
  const startedAt = new Date(origin).toISOString()
  const kube = kubeHandlers({ client, clock: systemClock, random: systemRandom, kinds: KINDS })
  return {
    ...kube,
    ...fakeHelm(client, options),
    ...fakeMetrics(client),
    ...machineHandlers(client, { stepMs: options.stepMs ?? 120 }),
    'app.info': () => ({
      version: '0.1.0',
      kubernetesVersion: 'v1.36.0',
      face: 'browser',
      platform: 'linux',
      stateDir: '~/.local/state/flotilla',
      lacks: options.lacksSandbox ? { sandbox: options.lacksSandbox } : {},
    }),
    'app.doctor': () => [
      { name: 'root', state: 'ok', found: 'Running as root' },
      { name: 'containerd', state: 'ok', found: 'containerd 1.6.20' },
      { name: 'swap', state: 'warn', found: 'Swap is on, 2 Gi', advice: 'Kept on; pods get none of it.' },
    ],
    async 'cluster.status'(_arg, duplex) {
      const ready = { name: 'harbor', phase: 'ready' as const, server: 'https://127.0.0.1:6443', startedAt }
      while (!duplex.signal.aborted) {
        const { metadata } = await client.list(NAMESPACE, {
          limit: 1,
        })
        await duplex.send({ ...ready, revision: Number(metadata.resourceVersion ?? 0) })
        await new Promise<void>((resolve) => void systemClock.setTimeout(resolve, 1000))
      }
    },
    'kubeconfig.text': () => ({ text: 'apiVersion: v1\nkind: Config\n', context: 'flotilla-harbor' }),
    'kubeconfig.merge': () => ({
      path: '~/.kube/config',
      context: 'flotilla-harbor',
      switched: false,
      backup: '~/.kube/config.flotilla-backup',
    }),
    async 'store.snapshot'(_arg, duplex) {
      await duplex.send({ type: 'begin', size: 0, revision: 1 })
    },
    async 'kube.request'(request, signal) {
      if (options.delay) await new Promise<void>((resolve) => void systemClock.setTimeout(resolve, options.delay ?? 0))
      const { method, path, query, contentType, accept = 'application/json', body } = request
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
      const bytes = (await readBody(response)).toString('utf8')
      const warnings = [...(response.headers['warning'] ?? '').matchAll(/\d{3} \S+ "((?:[^"\\]|\\.)*)"/g)].map((m) => m[1] ?? '')
      return {
        status: response.status,
        warnings,
        body: (response.headers['content-type'] ?? '').includes('json') ? JSON.parse(bytes) : bytes,
      }
    },
    'kube.logs': ({ pod, previous, follow, sinceTime, tailLines }, duplex) =>
      streamLog({ pod, previous, follow, sinceTime, tailLines }, duplex, origin),
    'kube.attach': ({ pod }, duplex) => runShell(pod, duplex),
    'kube.exec': ({ pod, command }, duplex) => (command[0] === 'tar' ? runTar(command, duplex) : runShell(pod, duplex)),
    'machines.shell': ({ name }, duplex) => runShell(`mira@${name}`, duplex),
    'terminal.local': (_arg, duplex) => runShell('local', duplex),
    async 'images.remove'({ machines }, duplex) {
      for (const { machine, images } of machines) {
        const node = await client.get(NODE, { name: machine })
        const left = (node.status.images ?? []).filter(({ names = [] }) => !names.some((each) => images.includes(each)))
        await client.patch(NODE, { name: machine }, { type: 'merge', body: { status: { images: left } } }, { subresource: 'status' })
        await duplex.send({ type: 'done', machine, images })
      }
    },
    async 'images.pull'({ machines, image }, duplex) {
      for (const machine of machines) {
        await duplex.send({ type: 'progress', machine, detail: image })
        if (machine === 'dory')
          await duplex.send({
            type: 'failed',
            machine,
            code: 'REMOTE_COMMAND_FAILED',
            what: `${machine} could not fetch ${image}.`,
            why: 'no such host',
            next: '',
          })
        else await duplex.send({ type: 'done', machine, images: [image] })
      }
    },
    async 'images.import'(_arg, duplex) {
      let size = 0
      for await (const { bytes } of duplex) {
        size += bytes?.length ?? 0
        await duplex.send({ type: 'progress', machine: 'moth', detail: `${size} bytes` })
      }
      if (size < 1024)
        await duplex.send({
          type: 'failed',
          machine: 'moth',
          code: 'IMAGE_IMPORT_FAILED',
          what: 'The archive cannot be read.',
          why: 'It ends too early.',
          next: 'Make it again with docker save.',
        })
      else await duplex.send({ type: 'done', machine: 'moth', images: ['localhost/demo/web:2'] })
    },
  }
}

/** The face as the browser's relay wants it; `drop` breaks every connection, and `away` refuses new ones. */
export interface FakeFace {
  away: boolean
  connect(): Port
  drop(): void
}

export function createFakeFace(handlers: Handlers<Channels>): FakeFace {
  const open = new Set<() => void>()
  return {
    away: false,
    connect() {
      const toApp: ((message: Message) => void)[] = []
      const toUi: ((message: Message) => void)[] = []
      const closes: (() => void)[] = []
      let closed = false
      const close = () => {
        if (closed) return
        closed = true
        open.delete(close)
        for (const listener of closes) listener()
      }
      open.add(close)
      const post = (to: ((message: Message) => void)[]) => (message: Message) => {
        if (!closed) for (const listener of to) listener(message)
      }
      serveConnection(
        { post: post(toUi), onMessage: (listener) => void toApp.push(listener), onClose: (listener) => void closes.push(listener), close },
        CHANNELS,
        handlers,
        describeFailure,
      )
      if (this.away) queueMicrotask(close)
      return {
        post: post(toApp),
        onMessage: (listener) => void toUi.push(listener),
        onClose: (listener) => void closes.push(listener),
        close,
      }
    },
    drop() {
      for (const close of [...open]) close()
    },
  }
}
