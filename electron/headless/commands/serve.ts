import { copyFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { FlotillaError, messageOf } from '../../base/errors.ts'
import type { EtcdConfig } from '../../plane/config.ts'
import { usage, type Args, type Command } from '../command.ts'
import { startOwn } from '../session.ts'
import { serveUi, UI_OPTIONS } from '../ui.ts'
import { untilStopped } from '../until-stopped.ts'
import { ACCESS_OPTIONS, accessOf } from './access-options.ts'
import { AUDIT_OPTIONS, auditOf } from './audit-options.ts'

export const serve: Command = {
  name: 'serve',
  usage: '[--state DIR] [--port N] [--etcd URL,…] [--serve-etcd N]',
  summary: 'Runs a control plane without a desktop. Prints one JSON line when the API server answers, and stays until it is stopped.',
  options: {
    port: { type: 'string', help: 'port of the API server on 127.0.0.1 (default: the one of last time, else a free one)' },
    kubeconfig: { type: 'string', help: 'also write the administrator’s kubeconfig to this file' },
    name: { type: 'string', help: 'name of a new cluster (default: flotilla)' },
    ...UI_OPTIONS,
    etcd: { type: 'string', help: 'store in an etcd cluster: URLs of its members, separated by commas (default: as last time)' },
    'etcd-cafile': { type: 'string', help: 'PEM file of the CA that etcd’s certificates are checked with' },
    'etcd-certfile': { type: 'string', help: 'PEM file of the client certificate for etcd' },
    'etcd-keyfile': { type: 'string', help: 'PEM file of that certificate’s key' },
    'serve-etcd': {
      type: 'string',
      help: 'serve the store to etcd’s clients, on this port of 127.0.0.1 (0: a free one) with TLS; off by default',
    },
    'store-quota': { type: 'string', help: 'largest size of the store in the state folder, in MiB; 0 for none (default: 8192)' },
    'store-history': { type: 'string', help: 'room for past states of the store, in MiB; 0 keeps none (default: 256)' },
    ...ACCESS_OPTIONS,
    'admission-control-config-file': {
      type: 'string',
      help: 'YAML file with an AdmissionConfiguration (default: admission.yaml in the state folder)',
    },
    ...AUDIT_OPTIONS,
    'max-requests-inflight': { type: 'string', help: 'reads at once, shared out by priority (default: 400)' },
    'max-mutating-requests-inflight': { type: 'string', help: 'writes at once, likewise; with both 0 nothing is limited (default: 200)' },
    debug: { type: 'boolean', help: 'log more' },
  },
  async run({ args, stateDir, signal, entry }) {
    await using stack = new AsyncDisposableStack()
    const admissionFile = args.text('admission-control-config-file')
    const plane = stack.use(
      await startOwn({
        ...{ entry, stateDir, port: args.integer('port', 1, 65535), name: args.text('name') },
        etcd: etcdOf(args),
        serveEtcdPort: args.integer('serve-etcd', 0, 65535),
        quotaBytes: mebibytes(args, 'store-quota'),
        historyBytes: mebibytes(args, 'store-history'),
        access: accessOf(args),
        admissionFile: admissionFile === undefined ? undefined : resolve(admissionFile),
        audit: auditOf(args),
        maxRequestsInflight: args.integer('max-requests-inflight', 0, 1_000_000),
        maxMutatingRequestsInflight: args.integer('max-mutating-requests-inflight', 0, 1_000_000),
        debug: args.flag('debug'),
      }),
    )
    const copy = args.text('kubeconfig')
    if (copy) await copyKubeconfig(plane.info.kubeconfig, copy)
    const ui = await serveUi(stack, plane, args, entry)
    process.stdout.write(`${JSON.stringify({ ready: true, ...plane.info, ...ui })}\n`)
    await untilStopped(plane, signal)
  },
}

/** In bytes. */
function mebibytes(args: Args, name: string): number | undefined {
  const value = args.integer(name, 0, 1024 * 1024)
  return value === undefined ? undefined : value * 1024 * 1024
}

/** The options are named as kube-apiserver names its own. */
function etcdOf(args: Args): EtcdConfig | undefined {
  const [caFile, certFile, keyFile] = ['cafile', 'certfile', 'keyfile'].map((name) => args.text(`etcd-${name}`))
  const urls = args.text('etcd')
  if (urls === undefined) {
    if (caFile ?? certFile ?? keyFile) throw usage('--etcd-cafile, --etcd-certfile and --etcd-keyfile go with --etcd.')
    return undefined
  }
  if ((certFile === undefined) !== (keyFile === undefined)) throw usage('--etcd-certfile and --etcd-keyfile go together.')
  const endpoints = urls.split(',').map((url) => url.trim())
  return { endpoints, ...(caFile ? { caFile } : {}), ...(certFile && keyFile ? { certFile, keyFile } : {}) }
}

async function copyKubeconfig(from: string, to: string): Promise<void> {
  try {
    await copyFile(from, to)
  } catch (error) {
    throw new FlotillaError('INVALID_INPUT', {
      what: `The kubeconfig could not be written to ${to}.`,
      why: `${messageOf(error)}.`,
      next: 'Name a file in a folder that exists and that you may write to.',
      cause: error,
    })
  }
}
