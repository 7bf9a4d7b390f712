/** Where an object that is to be written comes from: the bytes of a request, or a caller in this process. */
import type { AnyKind } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { decodeInput, type FieldValidation } from '../adapter.ts'
import { inputFormat } from '../http/negotiate.ts'

export interface Body {
  /** An object that belongs to the caller. Throws StatusError 400 or 415. */
  decode(kind: AnyKind, validation: FieldValidation, warn: (text: string) => void): KubeObject
}

export function bytesBody(bytes: Buffer, contentType: string | undefined): Body {
  return {
    decode(kind, validation, warn) {
      inputFormat(contentType)
      return decodeInput(kind, { text: bytes.toString('utf8') }, validation, warn)
    },
  }
}

export function valueBody(value: unknown): Body {
  return { decode: (kind, validation, warn) => decodeInput(kind, { value }, validation, warn) }
}
