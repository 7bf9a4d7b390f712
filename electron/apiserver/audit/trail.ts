/** What is noted of one request, from its beginning to its end. */
import { parse as parseYaml } from 'yaml'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import type { Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import { ListBody } from '../http/list-body.ts'
import type { ApiResponse, AuditTrail, UserInfo } from '../types.ts'
import { eventText, type EventFacts, type ObjectReference, type ResponseStatus } from './event.ts'
import { LEVELS, type Judgement, type Stage } from './policy.ts'

const JSON_TYPES = /\bjson\b/
const YAML_TYPES = /\byaml\b/
const STATUS_START = '{"kind":"Status"'
const REQUEST = LEVELS.indexOf('Request')
const REQUEST_RESPONSE = LEVELS.indexOf('RequestResponse')

export interface TrailOptions {
  readonly judgement: Judgement
  readonly facts: Omit<EventFacts, 'level' | 'impersonated' | 'object' | 'status' | 'requestObject' | 'responseObject' | 'annotations'>
  readonly object: ObjectReference | null
  readonly clock: Clock
  /** Gets each event as a line without its end. */
  readonly write: (event: string) => void
}

export class Trail implements AuditTrail {
  readonly #options: TrailOptions
  readonly #depth: number
  readonly #object: ObjectReference | null
  readonly #annotations = new Map<string, string>()
  #impersonated: UserInfo | null = null
  #requestObject: string | null = null
  #responseObject: string | null = null
  #status: ResponseStatus | null = null
  #over = false

  constructor(options: TrailOptions) {
    this.#options = options
    this.#depth = LEVELS.indexOf(options.judgement.level)
    this.#object = options.object
  }

  begin(): void {
    this.#emit('RequestReceived')
  }

  acting(user: UserInfo): void {
    this.#impersonated = user
  }

  /** The first value of a key counts. */
  annotate(key: string, value: string): void {
    if (!this.#annotations.has(key)) this.#annotations.set(key, value)
  }

  received(sent: KubeObject | Uint8Array): void {
    if (!(sent instanceof Uint8Array)) this.#complete(sent)
    if (this.#depth < REQUEST || this.#requestObject !== null) return
    this.#requestObject = sent instanceof Uint8Array ? patchText(sent) : this.#objectText(sent)
  }

  started(code: number): void {
    this.#status = { code }
    this.#emit('ResponseStarted')
  }

  ended({ status, headers, body }: Pick<ApiResponse, 'status' | 'headers' | 'body'>): void {
    if (this.#over) return
    this.#over = true
    if (body instanceof Uint8Array) this.#answered(status, headers['content-type'], body)
    else if (body instanceof ListBody && this.#depth >= REQUEST_RESPONSE) this.#answered(status, headers['content-type'], body.whole())
    this.#status ??= { code: status }
    this.#emit('ResponseComplete')
  }

  /** The same for an answer that was never encoded. */
  answered(code: number, object: object | null): void {
    if (this.#over) return
    this.#over = true
    this.#status = isStatus(object) ? { ...object, code } : { code }
    if (object && this.#depth >= REQUEST_RESPONSE) this.#responseObject = this.#objectText(object)
    this.#emit('ResponseComplete')
  }

  panicked(error: unknown): void {
    if (this.#over) return
    this.#over = true
    this.#status = { status: 'Failure', message: `APIServer panic'd: ${messageOf(error)}`, reason: 'InternalError', code: 500 }
    this.#emit('Panic')
  }

  refused(message: string, code: number): void {
    this.#status = { status: 'Failure', message, reason: 'Unauthorized', code }
    this.#emit('ResponseStarted')
  }

  #answered(code: number, contentType: string | readonly string[] | undefined, body: Uint8Array): void {
    const wanted = this.#depth >= REQUEST_RESPONSE
    const type = String(contentType ?? '')
    const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
    const failed = code >= 400 || bytes.subarray(0, STATUS_START.length).toString('latin1') === STATUS_START
    if (!wanted && !failed) return
    const text = bytes.toString('utf8').trim()
    const parsed = () => valueOf(text, type)
    const object = failed ? parsed() : null
    if (isStatus(object)) this.#status = { ...object, code }
    if (!wanted) return
    const whole = !failed || object !== null
    const asItIs = whole && JSON_TYPES.test(type) && !text.includes('\n') && !this.#options.judgement.omitManagedFields
    const shown = asItIs ? text : this.#objectText(object ?? parsed())
    this.#responseObject = shown === 'null' ? null : shown
  }

  /** What the path does not say: the name of what is created. */
  #complete({ metadata }: Partial<KubeObject>): void {
    const object = this.#object
    if (!object || !metadata) return
    object.name ||= metadata.name
    object.namespace ||= metadata.namespace
    object.uid ||= metadata.uid
    object.resourceVersion ||= metadata.resourceVersion
  }

  #objectText(object: unknown): string {
    return JSON.stringify(this.#options.judgement.omitManagedFields ? withoutManagedFields(object) : object)
  }

  #emit(stage: Stage): void {
    const { judgement, facts, clock, write } = this.#options
    if (judgement.omitStages.has(stage)) return
    const known: EventFacts = {
      ...facts,
      level: judgement.level,
      impersonated: this.#impersonated,
      object: this.#object,
      status: this.#status,
      requestObject: this.#requestObject,
      responseObject: this.#responseObject,
      annotations: this.#annotations,
    }
    write(eventText(known, stage, clock.now()))
  }
}

/** Null for what is neither JSON nor YAML. */
function valueOf(text: string, type: string): unknown {
  try {
    if (JSON_TYPES.test(type)) return JSON.parse(text)
    return YAML_TYPES.test(type) ? parseYaml(text) : null
  } catch {
    return null
  }
}

/** A patch as it came; what cannot be read is left out. */
function patchText(bytes: Uint8Array): string | null {
  const text = Buffer.from(bytes).toString('utf8')
  try {
    return JSON.stringify(JSON.parse(text))
  } catch {
    try {
      return JSON.stringify(parseYaml(text)) ?? null
    } catch {
      return null
    }
  }
}

function isStatus(object: unknown): object is ResponseStatus {
  return typeof object === 'object' && object !== null && (object as { kind?: unknown }).kind === 'Status'
}

/** Of an object, or of those in a list. */
function withoutManagedFields(given: unknown): unknown {
  if (typeof given !== 'object' || given === null) return given
  const { metadata, items } = given as { metadata?: object; items?: unknown }
  if (Array.isArray(items)) return { ...given, items: items.map(withoutManagedFields) }
  if (!metadata || !('managedFields' in metadata)) return given
  const { managedFields: _left, ...rest } = metadata
  return { ...given, metadata: rest }
}
