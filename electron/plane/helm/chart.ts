/** What a person sees of a chart before installing it, from its folder or archive. Source: Helm's chart file structure. */
import { createReadStream } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { createTarDecoder, type ParsedTarEntry } from 'modern-tar'
import { parse } from 'yaml'
import type { HelmChartMetadata } from '../../api/helm/release.ts'
import { FlotillaError, messageOf, systemCode } from '../../base/errors.ts'
import type { ResultOf } from '../../contracts/channel.ts'
import type { Channels } from '../../contracts/channels.ts'

export type ChartView = ResultOf<Channels['helm.chart']>

const WANTED = ['Chart.yaml', 'values.yaml', 'values.schema.json', 'README.md', 'readme.md'] as const
/** A file that is larger is none that a person wrote. */
const MOST_BYTES = 5 * 1024 * 1024

interface ChartFiles {
  readonly texts: ReadonlyMap<string, string>
  /** What lies in `charts/`: folders and archives. */
  readonly inside: ReadonlySet<string>
}

/** Rejects with FlotillaError HELM_FAILED where it is no chart. */
export async function readChart(path: string): Promise<ChartView> {
  try {
    const files = (await stat(path)).isDirectory() ? await fromFolder(path) : await fromArchive(path)
    return viewOf(files)
  } catch (error) {
    if (error instanceof FlotillaError) throw error
    const why = systemCode(error) === 'ENOENT' ? 'Nothing is there.' : `${messageOf(error)}.`
    throw new FlotillaError('HELM_FAILED', {
      what: `No chart can be read from ${path}.`,
      why,
      next: 'Name a folder with a Chart.yaml, or an archive that "helm package" made.',
      cause: error,
    })
  }
}

async function fromFolder(folder: string): Promise<ChartFiles> {
  const texts = new Map<string, string>()
  for (const name of WANTED) {
    const text = await readFile(join(folder, name), 'utf8').catch((error: unknown) => {
      if (systemCode(error) === 'ENOENT') return null
      throw error
    })
    if (text !== null) texts.set(name, text)
  }
  const inside = await readdir(join(folder, 'charts')).catch(() => [])
  return { texts, inside: new Set(inside) }
}

async function fromArchive(file: string): Promise<ChartFiles> {
  const texts = new Map<string, string>()
  const inside = new Set<string>()
  const source = createReadStream(file)
  const gunzip = createGunzip()
  source.once('error', (error) => gunzip.destroy(error))
  const tar = Readable.toWeb(source.pipe(gunzip)) as ReadableStream<Uint8Array>
  try {
    const entries = tar.pipeThrough(createTarDecoder({ strict: true })) as unknown as AsyncIterable<ParsedTarEntry>
    for await (const { header, body } of entries) {
      // The first folder is the chart's own.
      const [first = '', second, ...rest] = header.name.replace(/^\.\//, '').split('/').slice(1)
      if (first === 'charts' && second) inside.add(second)
      const wanted = WANTED.find((name) => name === first && second === undefined && rest.length === 0)
      if (wanted && header.size <= MOST_BYTES) texts.set(wanted, await new Response(body).text())
      else await body.cancel()
    }
  } finally {
    source.destroy()
  }
  return { texts, inside }
}

function viewOf({ texts, inside }: ChartFiles): ChartView {
  const chartFile = texts.get('Chart.yaml')
  if (chartFile === undefined) throw new Error('it has no Chart.yaml')
  const metadata = parse(chartFile) as Partial<HelmChartMetadata> | null
  if (!metadata?.name || !metadata.version) throw new Error('its Chart.yaml names no chart and version')
  const schema = texts.get('values.schema.json')
  const readme = texts.get('README.md') ?? texts.get('readme.md')
  const missing = (metadata.dependencies ?? [])
    .map(({ name }) => name)
    .filter((name) => ![...inside].some((file) => file === name || (file.startsWith(`${name}-`) && file.endsWith('.tgz'))))
  return {
    name: metadata.name,
    version: metadata.version,
    ...(metadata.appVersion === undefined ? {} : { appVersion: String(metadata.appVersion) }),
    ...(metadata.description === undefined ? {} : { description: metadata.description }),
    deprecated: metadata.deprecated === true,
    values: texts.get('values.yaml') ?? '',
    ...(schema === undefined ? {} : { schema: JSON.parse(schema) as unknown }),
    ...(readme === undefined ? {} : { readme }),
    missing,
  }
}
