/** Every call and stream between the UI and the app. Objects of Kubernetes cross as plain JSON; their types are in `electron/api`. */
import * as v from 'valibot'
import type { KubeObject } from '../api/meta/v1/object.ts'
import { call, nothing, stream } from './channel.ts'
import { LIST_CHANNELS } from './list-channels.ts'
import { HELM_CHANNELS } from './helm.ts'
import { IMAGE_CHANNELS } from './images.ts'
import { METRICS_CHANNELS } from './metrics.ts'
import { VM_CHANNELS } from './vm.ts'

/** Any object; only its outside is looked at. */
const kubeObject = v.custom<KubeObject>((value) => {
  const object = value as Partial<KubeObject> | null
  return typeof object === 'object' && object !== null && typeof object.kind === 'string' && typeof object.metadata?.uid === 'string'
}, 'not an object of Kubernetes')
const port = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65535))
const name = v.pipe(v.string(), v.minLength(1), v.maxLength(253))
/** Columns and rows. */
const terminalSize = v.object({
  cols: v.pipe(v.number(), v.integer(), v.minValue(1)),
  rows: v.pipe(v.number(), v.integer(), v.minValue(1)),
})

/** From the UI: stdin as bytes with `stdin`, or a new size. */
const terminalUp = v.variant('type', [v.object({ type: v.literal('stdin') }), v.object({ type: v.literal('resize'), size: terminalSize })])
/** To the UI: output as bytes, then one `exit`. */
const terminalDown = v.variant('type', [
  v.object({ type: v.picklist(['stdout', 'stderr']) }),
  v.object({ type: v.literal('exit'), code: v.nullable(v.number()), message: v.optional(v.string()) }),
])

/** Secrets for one sign-in: they are used and forgotten, never stored. */
const hostSecrets = {
  password: v.optional(v.string()),
  /** Path of a private key file on the computer that runs the control plane. */
  keyFile: v.optional(v.string()),
  passphrase: v.optional(v.string()),
  useAgent: v.optional(v.boolean()),
  /** A one-time code; good for one sign-in. */
  code: v.optional(v.string()),
}
const credentials = v.object({
  ...hostSecrets,
  sudoPassword: v.optional(v.string()),
  /** Of the jump host that is named; absent: the same as the machine's. */
  jump: v.optional(v.object(hostSecrets)),
})

const hop = v.object({ host: v.pipe(v.string(), v.minLength(1)), port, user: v.pipe(v.string(), v.minLength(1)) })

const hostKey = v.object({
  /** As in known_hosts: "ssh-ed25519 AAAA…". */
  key: v.string(),
  /** "SHA256:…", as OpenSSH prints it. */
  fingerprint: v.string(),
  state: v.picklist(['known', 'unknown', 'changed']),
  /** With `changed`: what was pinned, and where. */
  pinned: v.optional(v.object({ fingerprint: v.string(), source: v.string() })),
})

const check = v.object({ name: v.string(), state: v.picklist(['ok', 'warn', 'fail']), found: v.string(), advice: v.optional(v.string()) })

export const CHANNELS = {
  ...HELM_CHANNELS,
  ...IMAGE_CHANNELS,
  ...METRICS_CHANNELS,
  ...VM_CHANNELS,
  'app.info': call(
    nothing,
    v.object({
      version: v.string(),
      kubernetesVersion: v.string(),
      /** Which face serves this UI. */
      face: v.picklist(['electron', 'browser']),
      platform: v.string(),
      stateDir: v.string(),
      /** What this computer can do: make sandbox machines, run a local shell. Absent means yes; a text says why not. */
      lacks: v.object({ sandbox: v.optional(v.string()), localShell: v.optional(v.string()) }),
    }),
  ),
  'app.doctor': call(nothing, v.array(check)),

  /** The cluster's name, the API server and how it does; a value at once, then on each change. */
  'cluster.status': stream(
    nothing,
    v.never(),
    v.object({
      name: v.string(),
      phase: v.picklist(['starting', 'ready', 'stopping', 'failed']),
      server: v.string(),
      revision: v.number(),
      startedAt: v.string(),
      failure: v.optional(v.string()),
    }),
  ),
  'kubeconfig.text': call(nothing, v.object({ text: v.string(), context: v.string() })),
  /** Merges into the user's kubeconfig; never overwrites, and switches the context only when there is none. */
  'kubeconfig.merge': call(
    v.object({ path: v.optional(v.string()) }),
    v.object({ path: v.string(), context: v.string(), switched: v.boolean(), backup: v.optional(v.string()) }),
  ),

  /** All objects at one moment, as a file that etcd's tools read too: how long it is in all, then its bytes. */
  'store.snapshot': stream(
    nothing,
    v.never(),
    v.variant('type', [
      v.object({ type: v.literal('begin'), size: v.number(), revision: v.number() }),
      v.object({ type: v.literal('bytes') }),
    ]),
  ),

  /** Any API request, as kubectl would make it. A status of 400 or more is a result, not a failure. */
  'kube.request': call(
    v.object({
      method: v.picklist(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']),
      path: v.pipe(v.string(), v.regex(/^\/[^?#]*$/)),
      query: v.optional(v.record(v.string(), v.string())),
      contentType: v.optional(v.string()),
      /** What to answer with: "application/json" if absent, or Kubernetes' "application/json;as=Table;v=v1;g=meta.k8s.io". */
      accept: v.optional(v.string()),
      /** JSON, or text for YAML. */
      body: v.optional(v.unknown()),
    }),
    v.object({ status: v.number(), warnings: v.array(v.string()), body: v.unknown() }),
  ),
  /**
   * A list that is kept true: `reset` with everything, then `changes`. Reconnects and lists anew by itself; `stale` says since when
   * it could not. Changes come in batches, about 20 a second at the most.
   */
  'kube.live': stream(
    v.object({
      group: v.string(),
      version: v.string(),
      resource: v.string(),
      namespace: v.optional(v.string()),
      labelSelector: v.optional(v.string()),
      fieldSelector: v.optional(v.string()),
    }),
    v.never(),
    v.variant('type', [
      v.object({ type: v.literal('reset'), revision: v.string(), items: v.array(kubeObject) }),
      /** `deletes` are uids. */
      v.object({ type: v.literal('changes'), revision: v.string(), upserts: v.array(kubeObject), deletes: v.array(v.string()) }),
      v.object({ type: v.literal('stale'), since: v.string(), why: v.string() }),
    ]),
  ),
  ...LIST_CHANNELS,
  /** Bytes of the log as the API server's `log` subresource streams them; fails with the Status if it refuses. */
  'kube.logs': stream(
    v.object({
      namespace: name,
      pod: name,
      container: v.optional(v.string()),
      follow: v.optional(v.boolean()),
      previous: v.optional(v.boolean()),
      timestamps: v.optional(v.boolean()),
      tailLines: v.optional(v.number()),
      sinceSeconds: v.optional(v.number()),
      sinceTime: v.optional(v.string()),
    }),
    v.never(),
    v.object({}),
  ),
  /** To what the container itself runs; ending the stream leaves it running. */
  'kube.attach': stream(
    v.object({ namespace: name, pod: name, container: v.optional(v.string()), tty: v.boolean(), size: v.optional(terminalSize) }),
    terminalUp,
    terminalDown,
  ),
  'kube.exec': stream(
    v.object({
      namespace: name,
      pod: name,
      container: v.optional(v.string()),
      command: v.pipe(v.array(v.string()), v.minLength(1)),
      tty: v.boolean(),
      size: v.optional(terminalSize),
    }),
    terminalUp,
    terminalDown,
  ),

  /**
   * Connects without signing in and says which key the host shows. Only a jump host is signed in to, with its confirmed key or the
   * one that known_hosts has.
   */
  'machines.scanHostKey': call(
    v.object({
      ...hop.entries,
      jump: v.optional(v.object({ ...hop.entries, hostKey: v.optional(v.string()) })),
      credentials: v.optional(credentials),
    }),
    hostKey,
  ),
  /** Signs in and looks, changing nothing. What `machines.add` would install with `installRuntime` does not stand in the way then. */
  'machines.preflight': call(
    v.object({
      ...hop.entries,
      hostKey: v.string(),
      jump: v.optional(v.object({ ...hop.entries, hostKey: v.string() })),
      nodeIP: v.optional(v.string()),
      installRuntime: v.optional(v.boolean()),
      credentials,
    }),
    v.array(check),
  ),
  /** Makes the Machine object and starts the work; progress is in its status. */
  'machines.add': call(
    v.object({
      name,
      ...hop.entries,
      hostKey: v.string(),
      jump: v.optional(v.object({ ...hop.entries, hostKey: v.string() })),
      nodeIP: v.optional(v.string()),
      installRuntime: v.optional(v.boolean()),
      labels: v.optional(v.record(v.string(), v.string())),
      credentials,
      /** Signs in and checks before anything is made, and fails with what stands in the way. */
      checkFirst: v.optional(v.boolean()),
    }),
    v.object({ name: v.string() }),
  ),
  'machines.addSandbox': call(v.object({ name: v.optional(name), memoryBytes: v.optional(v.number()) }), v.object({ name: v.string() })),
  /**
   * This computer woke up, or its network changed: every link is tried at once, or shows that it still answers. To be called once per
   * event of the operating system; calls too many do no harm.
   */
  'machines.poke': call(v.object({ reason: v.picklist(['resume', 'network']) }), v.object({})),
  /** Goes on from the step that failed. */
  'machines.retry': call(v.object({ name, credentials: v.optional(credentials) }), v.object({})),
  /**
   * Gives agents this app's program, or with `rollBack` the one that they had before; one machine after the other, all if none is named,
   * in the order of their names. After a failure the rest is left as it is. `drain` moves pods away first; without it they go on running.
   */
  'machines.upgrade': stream(
    v.object({ names: v.optional(v.array(name)), rollBack: v.optional(v.boolean()), drain: v.optional(v.boolean()) }),
    v.never(),
    v.variant('type', [
      v.object({ type: v.literal('progress'), machine: v.string(), detail: v.string() }),
      /** Content hashes of the programs; the same when there was nothing to do. */
      v.object({ type: v.literal('done'), machine: v.string(), from: v.string(), to: v.string(), version: v.string() }),
      v.object({ type: v.literal('failed'), machine: v.string(), code: v.string(), what: v.string(), why: v.string(), next: v.string() }),
    ]),
  ),
  'machines.cancel': call(v.object({ name }), v.object({})),
  /** `forget`: drop it from the cluster even if the machine cannot be reached to clean it up. */
  'machines.remove': call(v.object({ name, credentials: v.optional(credentials), forget: v.optional(v.boolean()) }), v.object({})),
  /** A shell on the machine itself, which works when its agent does not. Without a size it has no terminal, and ends with its input. */
  'machines.shell': stream(v.object({ name, size: v.optional(terminalSize) }), terminalUp, terminalDown),
  /** A script for /bin/sh on the machine itself, with what is sent as its input; with `root` as root, if that needs no password. */
  'machines.run': stream(v.object({ name, script: v.string(), root: v.optional(v.boolean()) }), terminalUp, terminalDown),
  /** Lines that the machine has written down, as bytes; with `follow` until it is ended. */
  'machines.logs': stream(
    v.object({
      name,
      source: v.picklist(['agent', 'containerd', 'kernel', 'system']),
      lines: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100_000))),
      follow: v.optional(v.boolean()),
    }),
    v.never(),
    terminalDown,
  ),
  /** A shell on this computer with KUBECONFIG set. */
  'terminal.local': stream(v.object({ size: terminalSize }), terminalUp, terminalDown),

  /** The UI sends the archive (docker save or OCI layout tar) as bytes and ends; answers per machine. */
  'images.import': stream(
    v.object({ machines: v.optional(v.array(name)) }),
    v.object({}),
    v.variant('type', [
      v.object({ type: v.literal('progress'), machine: v.string(), detail: v.string() }),
      v.object({ type: v.literal('done'), machine: v.string(), images: v.array(v.string()) }),
      v.object({ type: v.literal('failed'), machine: v.string(), code: v.string(), what: v.string(), why: v.string(), next: v.string() }),
    ]),
  ),
} as const

export type Channels = typeof CHANNELS
