/** Content negotiation. Source: apiserver `endpoints/handlers/negotiation`. */
import { failure } from '../../machinery/status.ts'

export type Transform = 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList'

export interface Output {
  readonly format: 'json' | 'yaml'
  readonly pretty: boolean
  /** What is asked for in place of the object itself, in this version of meta.k8s.io. */
  readonly transform: Transform | null
  readonly version: string
}

const MEDIA = ['application/json', 'application/yaml'] as const
const TRANSFORMS = new Set(['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList'])
/** Programs that people read with. */
const HUMAN = /^(curl|Wget|Mozilla\/5\.0)/
const JSON_OUTPUT: Output = Object.freeze({ format: 'json', pretty: false, transform: null, version: '' })
const MEMORY = 200

type Headers = Readonly<Record<string, string | undefined>>

/** Remembers what it made of the few Accept headers that clients send. */
export class Negotiator {
  readonly #known = new Map<string, Output>()

  /** Throws StatusError 406. `transforms`: whether the answer is about objects. */
  output(headers: Headers, query: URLSearchParams, transforms: boolean): Output {
    const accept = headers['accept'] ?? ''
    const output = accept === '' || accept === '*/*' || accept === 'application/json' ? JSON_OUTPUT : this.#negotiate(accept, transforms)
    const pretty = output.pretty || wantsPretty(headers, query)
    return pretty === output.pretty ? output : { ...output, pretty }
  }

  #negotiate(accept: string, transforms: boolean): Output {
    const key = `${transforms ? 't' : 'p'}${accept}`
    const known = this.#known.get(key)
    if (known) return known
    const output = negotiate(accept, transforms)
    if (!output) throw notAcceptable(`only the following media types are accepted: ${MEDIA.join(', ')}`)
    if (this.#known.size >= MEMORY) this.#known.clear()
    this.#known.set(key, output)
    return output
  }
}

export const notAcceptable = (message: string) => failure(406, 'NotAcceptable', message)

function wantsPretty(headers: Headers, query: URLSearchParams): boolean {
  const asked = query.size > 0 ? query.get('pretty') : null
  if (asked) return ['1', 't', 'T', 'true', 'True', 'TRUE'].includes(asked)
  return HUMAN.test(headers['user-agent'] ?? '')
}

function negotiate(accept: string, transforms: boolean): Output | null {
  for (const clause of parseAccept(accept)) {
    const media = MEDIA.find((m) => clause.type === m || clause.type === '*/*' || clause.type === 'application/*')
    if (!media) continue
    const format = media === 'application/json' ? 'json' : 'yaml'
    const { as = '', g: group = '', v: version = '', stream = '', pretty = '' } = clause.params
    if (stream !== '' && (stream !== 'watch' || format !== 'json')) continue
    if (as === '' && group === '' && version === '') return { format, pretty: pretty === '1', transform: null, version: '' }
    if (!transforms || group !== 'meta.k8s.io' || !TRANSFORMS.has(as) || (version !== 'v1' && version !== 'v1beta1')) continue
    return { format, pretty: pretty === '1', transform: as as Transform, version }
  }
  return null
}

interface Clause {
  readonly type: string
  readonly quality: number
  readonly params: Readonly<Record<string, string | undefined>>
}

/** The clauses of an Accept header, the most wanted first. */
export function parseAccept(accept: string): Clause[] {
  const clauses = accept.split(',').map((text): Clause => {
    const [type = '', ...rest] = text.split(';').map((part) => part.trim())
    const params: Record<string, string> = {}
    for (const part of rest) {
      const at = part.indexOf('=')
      if (at > 0) params[part.slice(0, at)] = part.slice(at + 1).replace(/^"(.*)"$/, '$1')
    }
    const quality = params['q'] === undefined ? 1 : Number(params['q'])
    return { type: type.toLowerCase(), quality: Number.isNaN(quality) ? 1 : quality, params }
  })
  return clauses.filter((c) => c.quality > 0).sort((a, b) => b.quality - a.quality)
}

export type InputFormat = 'json' | 'yaml' | 'protobuf'

const INPUT: Readonly<Record<string, InputFormat>> = {
  '': 'json',
  'application/json': 'json',
  'application/yaml': 'yaml',
  'application/vnd.kubernetes.protobuf': 'protobuf',
}

/** The format of a body. Throws StatusError 415. */
export function inputFormat(contentType: string | undefined): InputFormat {
  const format = INPUT[mediaType(contentType)]
  if (!format) throw unsupportedMediaType(Object.keys(INPUT).filter(Boolean))
  return format
}

export function unsupportedMediaType(accepted: readonly string[]) {
  const why = `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`
  return failure(415, 'UnsupportedMediaType', why)
}

/** Without parameters, in lower case. */
export function mediaType(contentType: string | undefined): string {
  if (contentType === undefined) return ''
  const end = contentType.indexOf(';')
  return (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase()
}
