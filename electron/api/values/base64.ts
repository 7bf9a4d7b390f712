/** Base64 (RFC 4648 section 4, padded) as Kubernetes writes byte fields in JSON; works in browsers as well. */

const encoder = new TextEncoder()

export function base64FromBytes(bytes: Uint8Array): string {
  let binary = ''
  for (let i = 0; i < bytes.length; i += 0x8000) binary += String.fromCharCode(...bytes.subarray(i, i + 0x8000))
  return btoa(binary)
}

/** The text's UTF-8 bytes. */
export function base64FromText(text: string): string {
  return base64FromBytes(encoder.encode(text))
}

/** Number of bytes that valid base64 stands for. */
export function base64Length(base64: string): number {
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0
  return Math.floor((base64.length * 3) / 4) - padding
}

/** Throws a DOMException `InvalidCharacterError` on what is not base64. */
export function bytesFromBase64(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))
}
