/** The index of a chart repository (`index.yaml`): what it has, without adding it to anybody's Helm. */
import { parse } from 'yaml'
import { FlotillaError, messageOf } from '../../base/errors.ts'
import type { ResultOf } from '../../contracts/channel.ts'
import type { Channels } from '../../contracts/channels.ts'

type Repository = ResultOf<Channels['helm.repository']>

/** The largest public indexes have some 20 MB. */
const MOST_BYTES = 64 * 1024 * 1024

interface IndexEntry {
  readonly version?: unknown
  readonly appVersion?: unknown
  readonly description?: unknown
  readonly deprecated?: unknown
}

/** Rejects with FlotillaError HELM_FAILED. Versions come as the index has them, which Helm writes newest first. */
export async function readRepository(url: string, fetchUrl: typeof fetch, signal: AbortSignal): Promise<Repository> {
  const address = `${url.replace(/\/+$/, '')}/index.yaml`
  try {
    const response = await fetchUrl(address, { signal, redirect: 'follow' })
    if (!response.ok) throw new Error(`it answers with ${response.status} ${response.statusText}`.trim())
    return { charts: chartsOf(await bounded(response)) }
  } catch (error) {
    signal.throwIfAborted()
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
    throw new FlotillaError('HELM_FAILED', {
      what: `The repository ${url} cannot be read.`,
      why: `${address}: ${messageOf(cause)}.`,
      next: 'Check the address: it is the one that "helm repo add" takes.',
      cause: error,
    })
  }
}

async function bounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > MOST_BYTES) throw new Error('the index is larger than any known one')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function chartsOf(text: string): Repository['charts'] {
  const index = parse(text, { maxAliasCount: 0 }) as { entries?: Record<string, readonly IndexEntry[]> } | null
  if (typeof index?.entries !== 'object') throw new Error('it is no index of charts')
  const charts = Object.entries(index.entries).flatMap(([name, versions]) => {
    const live = (versions ?? []).filter((each) => typeof each.version === 'string')
    const newest = live[0]
    if (!newest || newest.deprecated === true) return []
    return [
      {
        name,
        ...(typeof newest.description === 'string' ? { description: newest.description } : {}),
        versions: live.map(({ version, appVersion }) => ({
          version: String(version),
          ...(appVersion === undefined || appVersion === null ? {} : { appVersion: String(appVersion as string) }),
        })),
      },
    ]
  })
  return charts.toSorted((a, b) => a.name.localeCompare(b.name))
}
