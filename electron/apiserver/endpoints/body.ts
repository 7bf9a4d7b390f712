/** Where an object that is to be written comes from: the bytes of a request, or a caller in this process. */
import type { AnyKind } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import type { FieldValidation } from '../../machinery/decode/request.ts'
import { inputFormat } from '../http/negotiate.ts'
import type { KindTypes } from '../registry/kind-types.ts'

/** Decodes into an object of the kind that belongs to whoever asks. Throws StatusError 400. */
export type Body = (types: KindTypes, kind: AnyKind, validation: FieldValidation, warn: (text: string) => void) => KubeObject

/** Throws StatusError 415. */
export function bytesBody(bytes: Uint8Array, contentType: string | undefined): Body {
  const format = inputFormat(contentType)
  if (format === 'protobuf') return (types, kind, validation, warn) => types.fromProtobuf(kind, bytes, validation, warn)
  return (types, kind, validation, warn) => types.fromBytes(kind, bytes, format, validation, warn)
}

export function valueBody(value: unknown): Body {
  return (types, kind, validation, warn) => types.fromValue(kind, value, validation, warn)
}
