/**
 * Helm's releases as its storage driver `secret` keeps them: a Secret of type `helm.sh/release.v1` for each revision, with the
 * release as JSON, gzipped and in base64, under `data.release`. Helm 3 and 4 write the same. Source: Helm's pkg/storage/driver and
 * pkg/release.
 */
export const RELEASE_TYPE = 'helm.sh/release.v1'
/** Selects the Secrets of releases. */
export const RELEASE_SELECTOR = 'owner=helm'

export type HelmStatus =
  | 'unknown'
  | 'deployed'
  | 'uninstalled'
  | 'superseded'
  | 'failed'
  | 'uninstalling'
  | 'pending-install'
  | 'pending-upgrade'
  | 'pending-rollback'

export type HelmValues = Readonly<Record<string, unknown>>

export interface HelmChartMetadata {
  readonly name: string
  readonly version: string
  readonly appVersion?: string
  readonly description?: string
  readonly home?: string
  readonly icon?: string
  readonly sources?: readonly string[]
  readonly deprecated?: boolean
  readonly dependencies?: readonly { readonly name: string; readonly version?: string; readonly repository?: string }[]
}

/** A file of a chart, in base64. */
export interface HelmFile {
  readonly name: string
  readonly data: string
}

export interface HelmHook {
  readonly name: string
  readonly kind: string
  readonly events?: readonly string[]
  readonly manifest?: string
  readonly last_run?: { readonly phase?: string; readonly completed_at?: string }
}

export interface HelmRelease {
  readonly name: string
  readonly namespace: string
  /** The revision, from 1. */
  readonly version: number
  readonly info: {
    readonly first_deployed?: string
    readonly last_deployed?: string
    readonly status: HelmStatus
    readonly description?: string
    readonly notes?: string
  }
  /** Without the charts it depends on: Helm does not keep those. */
  readonly chart: {
    readonly metadata: HelmChartMetadata
    readonly templates?: readonly HelmFile[] | null
    readonly values?: HelmValues | null
    /** values.schema.json, in base64. */
    readonly schema?: string | null
    readonly files?: readonly HelmFile[] | null
  }
  /** What the user set. */
  readonly config?: HelmValues | null
  /** All objects but hooks, as YAML documents. */
  readonly manifest?: string
  readonly hooks?: readonly HelmHook[] | null
}

/** More than Helm could have stored: a Secret holds a mebibyte, and text shrinks to a hundredth at best. */
const MOST_BYTES = 128 * 1024 * 1024

/** `encoded`: the Secret's `data.release`. Rejects with a RangeError or SyntaxError where it is no release. */
export async function decodeRelease(encoded: string): Promise<HelmRelease> {
  const stored = bytesOf(atob(encoded))
  const packed = isGzip(stored) ? stored : bytesOf(atob(new TextDecoder().decode(stored)))
  const json = isGzip(packed) ? await unpack(packed) : packed
  const release = JSON.parse(new TextDecoder().decode(json)) as Partial<HelmRelease> | null
  if (!release?.name || !release.info || !release.chart?.metadata) throw new SyntaxError('not a release of Helm')
  return release as HelmRelease
}

/** As Helm stores it, for a Secret's `data.release`. */
export async function encodeRelease(release: HelmRelease): Promise<string> {
  const plain = new Blob([JSON.stringify(release)]).stream()
  const packed = await new Response(plain.pipeThrough(new CompressionStream('gzip'))).bytes()
  return btoa(base64(packed))
}

/** The text of a chart's file. */
export const fileText = (data: string): string => new TextDecoder().decode(bytesOf(atob(data)))

/** Helm 2 left releases that are not compressed. */
const isGzip = (bytes: Uint8Array) => bytes[0] === 0x1f && bytes[1] === 0x8b

function bytesOf(binary: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(binary.length)
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i)
  return bytes
}

function base64(bytes: Uint8Array): string {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary)
}

async function unpack(packed: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const chunks: Uint8Array<ArrayBuffer>[] = []
  let size = 0
  const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip')).getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return new Blob(chunks).bytes()
    size += value.length
    if (size > MOST_BYTES) throw new RangeError('the release unpacks to more than it can hold')
    chunks.push(value)
  }
}
