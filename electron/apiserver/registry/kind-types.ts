import { apiVersionOf, type AnyKind } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { modelFacts } from '../../api/schema/facts.ts'
import { type Codec, Codecs, DecodeError } from '../../machinery/decode/codec.ts'
import { type BodyFormat, decodeRequest, type FieldValidation } from '../../machinery/decode/request.ts'
import { deepFreeze, thaw } from '../../machinery/freeze.ts'
import { createTypes, type Schema } from '../../machinery/schema/build.ts'
import type { StructType } from '../../machinery/schema/type.ts'
import { badRequest } from '../../machinery/status.ts'
import { unsupportedMediaType } from '../http/negotiate.ts'
import { openEnvelope, ProtobufDecoder } from '../protobuf/decode.ts'
import { WireError } from '../protobuf/wire.ts'

/** The schemas of kinds, ready to decode with. What comes out is defaulted by schema and by the kind's own strategy. */
export class KindTypes {
  readonly protobuf = new ProtobufDecoder()
  readonly #types = createTypes(modelFacts)
  readonly #codecs = new Codecs()
  readonly #known = new WeakMap<AnyKind, Codec<KubeObject>>()
  readonly #statuses = new WeakMap<AnyKind, object>()

  type(kind: AnyKind): StructType {
    return this.codec(kind).type
  }

  codec(kind: AnyKind): Codec<KubeObject> {
    let codec = this.#known.get(kind)
    if (!codec) {
      const type = kind.custom ? this.#types.custom(kind.custom.schema as Schema, kind.kind) : this.#types.struct(kind.model)
      codec = this.#codecs.for<KubeObject>(type)
      this.#known.set(kind, codec)
    }
    return codec
  }

  /** Takes away a status that only the status subresource may set: what is left is that of a new object, with its defaults. */
  resetStatus(kind: AnyKind, object: KubeObject & { status?: unknown }): void {
    if (object.status === undefined) return
    if (kind.custom) return void delete object.status
    let status = this.#statuses.get(kind)
    if (!status) {
      const { object: bare } = this.codec(kind).decode({}, { strict: false })
      this.#statuses.set(kind, (status = deepFreeze((bare as { status?: object }).status ?? {})))
    }
    object.status = thaw(status)
  }

  /** Throws StatusError 400. */
  fromBytes(kind: AnyKind, bytes: Uint8Array, format: BodyFormat, validation: FieldValidation, warn: (text: string) => void): KubeObject {
    const { object, warnings } = decodeRequest(bytes, format, kind, this.codec(kind), validation)
    for (const text of warnings) warn(text)
    kind.strategy.defaults?.(object)
    return object
  }

  /** From the protobuf form that Kubernetes' clients use for built-in kinds. Throws StatusError 400, or 415 for custom resources. */
  fromProtobuf(kind: AnyKind, bytes: Uint8Array, validation: FieldValidation, warn: (text: string) => void): KubeObject {
    if (kind.custom) throw unsupportedMediaType(['application/json', 'application/yaml'])
    try {
      const { apiVersion, kind: given, raw } = openEnvelope(bytes)
      const typeMeta = { apiVersion: apiVersion || apiVersionOf(kind), kind: given || kind.kind }
      const value = { ...this.protobuf.decode(kind.model, raw), ...typeMeta }
      return this.fromValue(kind, value, validation, warn)
    } catch (error) {
      if (error instanceof WireError) throw refused(kind, error.message)
      throw error
    }
  }

  /** From a value in this process, which stays as it is. Throws StatusError 400. */
  fromValue(kind: AnyKind, value: unknown, validation: FieldValidation, warn: (text: string) => void): KubeObject {
    const apiVersion = apiVersionOf(kind)
    const whole = { apiVersion, kind: kind.kind, ...(value as Partial<KubeObject> | null) }
    if (whole.kind !== kind.kind) throw refused(kind, `it is a ${String(whole.kind)}`)
    if (whole.apiVersion !== apiVersion) {
      throw badRequest(`the API version in the data (${String(whole.apiVersion)}) does not match the expected API version (${apiVersion})`)
    }
    try {
      const { object, strict } = this.codec(kind).decode(whole, { strict: validation !== 'Ignore' })
      if (strict.length > 0 && validation === 'Strict') throw refused(kind, `strict decoding error: ${strict.join(', ')}`)
      for (const text of strict) warn(text)
      kind.strategy.defaults?.(object)
      return object
    } catch (error) {
      if (error instanceof DecodeError) throw refused(kind, error.message)
      throw error
    }
  }
}

function refused(kind: AnyKind, why: string) {
  return badRequest(`${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}: ${why}`)
}
