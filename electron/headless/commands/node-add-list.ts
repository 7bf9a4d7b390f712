/** Many hosts at once, from a list or a hosts file. */
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { FlotillaError, messageOf } from '../../base/errors.ts'
import { parseHostList, type ListedHost, type ListFault } from '../../contracts/host-list.ts'
import type { Caller } from '../../contracts/caller.ts'
import type { Channels } from '../../contracts/channels.ts'
import { asFlotillaError, table, type Output } from '../output.ts'

const WHY: Record<ListFault['why'], string> = {
  address: 'is no host',
  port: 'is no port',
  name: 'gives no name that a node can have; add name=NAME',
  twice: 'is there twice',
  word: 'is not understood; write KEY=VALUE labels as label=KEY=VALUE',
}

/** "-": standard input. Throws INVALID_INPUT, which names each line that cannot be read. */
export async function readHostList(file: string): Promise<readonly ListedHost[]> {
  const content = await (file === '-' ? text(process.stdin) : readFile(file, 'utf8')).catch((error: unknown) => {
    throw invalid(`${file} cannot be read.`, `${messageOf(error)}.`)
  })
  const { hosts, faults } = parseHostList(content)
  if (faults.length) throw invalid(`${file} was not understood.`, faults.map((f) => `Line ${f.line}: "${f.text}" ${WHY[f.why]}.`).join(' '))
  if (!hosts.length) throw invalid(`There is no host in ${file}.`, 'All its lines are empty, comments or about this computer.')
  return hosts
}

function invalid(what: string, why: string): FlotillaError {
  return new FlotillaError('INVALID_INPUT', {
    what,
    why,
    next: 'Write one host a line: [USER@]HOST[:PORT] [name=NAME] [pool=POOL] [label=KEY=VALUE]',
  })
}

export interface ListRun {
  readonly caller: Caller<Channels>
  readonly hosts: readonly ListedHost[]
  /** How many are worked on at the same time. */
  readonly parallel: number
  readonly output: Output
  readonly signal: AbortSignal
  /** Asked one host after the other, before anything is begun. */
  readonly confirm: (host: ListedHost) => Promise<string>
  /** Begins and resolves when it is Ready. */
  readonly add: (host: ListedHost, hostKey: string) => Promise<void>
}

/** A host that fails does not stop the others. Throws the first failure in the end. */
export async function addListed({ hosts, parallel, output, confirm, add, signal }: ListRun): Promise<void> {
  const keys = new Map<ListedHost, string>()
  const outcomes = new Map<ListedHost, FlotillaError | null>()
  for (const host of hosts)
    try {
      keys.set(host, await confirm(host))
    } catch (error) {
      signal.throwIfAborted()
      outcomes.set(host, asFlotillaError(error))
    }
  const queue = [...keys]
  const work = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const [host, key] = next
      try {
        await add(host, key)
        outcomes.set(host, null)
      } catch (error) {
        signal.throwIfAborted()
        outcomes.set(host, asFlotillaError(error))
      }
    }
  }
  await Promise.all(Array.from({ length: parallel }, work))
  const rows = hosts.map((host) => ({ ...host, error: outcomes.get(host) ?? null }))
  output.result(
    rows.map(({ name, host, error }) => ({ name, host, phase: error ? 'Failed' : 'Ready', ...(error ? { error: error.toJSON() } : {}) })),
    table(
      ['NAME', 'HOST', 'STATE', 'WHY'],
      rows.map(({ name, host, error }) => [name, host, error ? 'failed' : 'ready', error ? `${error.what} ${error.why}` : '']),
    ),
  )
  const failed = rows.filter(({ error }) => error)
  if (!failed[0]?.error) return
  throw new FlotillaError(failed[0].error.code, {
    what: `${failed.length} of ${hosts.length} hosts were not added.`,
    why: failed.map(({ name, error }) => `${name}: ${error?.why}`).join(' '),
    next: 'Put right what is said, then run it again with the same list: those that are nodes already are left as they are.',
  })
}
