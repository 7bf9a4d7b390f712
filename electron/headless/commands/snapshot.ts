import { resolve } from 'node:path'
import { FlotillaError } from '../../base/errors.ts'
import { missingParts, partsBeside, type StatePart } from '../../plane/backup/parts.ts'
import { restoreInto } from '../../plane/backup/restore.ts'
import { snapshotOfStopped } from '../../plane/backup/stopped.ts'
import { readFacts, type SnapshotFacts, writeSnapshotFile } from '../../plane/backup/write-file.ts'
import { locate } from '../../plane/locations.ts'
import type { Command, OptionSpec } from '../command.ts'
import { table } from '../output.ts'
import { connectRunning } from '../session.ts'

const SKIP: OptionSpec = { type: 'boolean', help: 'take a database without a checksum behind it: a copied member/snap/db of an etcd' }

export const snapshotSave: Command = {
  name: 'snapshot save',
  usage: 'FILE [--state DIR]',
  summary: 'Saves the objects of a cluster, which may run meanwhile, as etcd saves its own: etcdctl reads and restores the file too.',
  positionals: ['file'],
  async run({ args, output, stateDir, signal, entry }) {
    const file = resolve(args.need('file'))
    const facts = await writeSnapshotFile(file, snapshotOf(stateDir, signal, locate(entry).storeWorker.href))
    const beside = partsBeside(stateDir)
    output.result({ ...facts, stateDir, notIncluded: beside.map(({ name }) => name) }, `Saved ${file}\n\n${described(facts)}`)
    if (beside.length) output.note(`\nNot in it, and needed with it to move or rebuild the cluster (in ${stateDir}):\n${listed(beside)}`)
  },
}

export const snapshotStatus: Command = {
  name: 'snapshot status',
  usage: 'FILE [--skip-hash-check]',
  summary: 'Checks a snapshot of Flotilla or etcd from end to end, and says what it holds.',
  positionals: ['file'],
  options: { 'skip-hash-check': SKIP },
  async run({ args, output }) {
    const facts = await readFacts(resolve(args.need('file')), { skipHashCheck: args.flag('skip-hash-check') })
    output.result(facts, described(facts))
  },
}

export const snapshotRestore: Command = {
  name: 'snapshot restore',
  usage: 'FILE [--state DIR] [--bump-revision N] [--skip-hash-check]',
  summary: 'Makes the store of a state folder that has none from a snapshot of Flotilla or etcd.',
  positionals: ['file'],
  options: {
    'bump-revision': {
      type: 'string',
      help: 'begin so many revisions later, so that machines and clients that go on from before read everything anew',
    },
    'skip-hash-check': SKIP,
  },
  async run({ args, output, stateDir }) {
    const bumpRevision = args.integer('bump-revision', 0, 10 ** 15) ?? 0
    const options = { skipHashCheck: args.flag('skip-hash-check'), bumpRevision }
    const facts = await restoreInto(stateDir, resolve(args.need('file')), options)
    const missing = missingParts(stateDir)
    const revision = facts.revision + bumpRevision
    const text = `Restored ${facts.keys} keys at revision ${revision} into ${stateDir}.`
    output.result({ ...facts, revision, snapshotRevision: facts.revision, stateDir, missing: missing.map(({ name }) => name) }, text)
    if (missing.length) {
      output.note(
        `\nNot in ${stateDir}. Copy them there from the old state folder before the first start, or they are made anew:\n${listed(missing)}`,
      )
    }
  },
}

/** From the plane that runs on the folder, while it goes on; or from the folder itself. */
async function* snapshotOf(stateDir: string, signal: AbortSignal, storeWorkerUrl: string): AsyncGenerator<Uint8Array> {
  const running = await connectRunning(stateDir).catch((error: unknown) => {
    if (error instanceof FlotillaError && error.code === 'PLANE_UNREACHABLE') return null
    throw error
  })
  if (!running) return yield* untilAborted(snapshotOfStopped(stateDir, storeWorkerUrl), signal)
  using caller = running
  for await (const { bytes } of caller.open('store.snapshot', undefined, { signal })) if (bytes) yield bytes
}

async function* untilAborted(chunks: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    signal.throwIfAborted()
    yield chunk
  }
}

function described({ hash, revision, compactRevision, keys, leases, size }: SnapshotFacts): string {
  const row = [hash.toString(16).padStart(8, '0'), revision, compactRevision || '-', keys, leases, sizeText(size)]
  return table(['HASH', 'REVISION', 'COMPACTED', 'KEYS', 'LEASES', 'SIZE'], [row.map(String)])
}

function sizeText(bytes: number): string {
  return bytes < 2 ** 20 ? `${(bytes / 2 ** 10).toFixed(0)} Ki` : `${(bytes / 2 ** 20).toFixed(1)} Mi`
}

function listed(parts: readonly StatePart[]): string {
  return parts.map(({ name, about }) => `  ${name.padEnd(14)}${about}`).join('\n')
}
