/** The values of ConfigMaps and Secrets as text, or a word for what is none. */

export interface DataValue {
  readonly key: string
  /** Null: bytes that are no text. */
  readonly text: string | null
  readonly size: number
}

export function configValues(
  data: Readonly<Record<string, string>> | undefined,
  binary: Readonly<Record<string, string>> | undefined,
): DataValue[] {
  const texts = Object.entries(data ?? {}).map(([key, text]): DataValue => ({ key, text, size: new TextEncoder().encode(text).length }))
  return [...texts, ...Object.entries(binary ?? {}).map(([key, base64]) => decoded(key, base64))]
}

export function secretValues(data: Readonly<Record<string, string>> | undefined): DataValue[] {
  return Object.entries(data ?? {}).map(([key, base64]) => decoded(key, base64))
}

function decoded(key: string, base64: string): DataValue {
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))
  try {
    return { key, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes), size: bytes.length }
  } catch {
    return { key, text: null, size: bytes.length }
  }
}
