/**
 * Short hashes that tell templates apart, as in `pod-template-hash` and the names of ReplicaSets: FNV-1a of 32 bits over the content,
 * in an alphabet without vowels, so that no words come out. Equal templates hash alike here; other servers' hashes are others.
 */
import { isObject } from './json-value.ts'

const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789'
const OFFSET = 0x811c9dc5
const PRIME = 0x01000193

/** `collisions` counts how often the hash was found to be taken by another template. */
export function templateHash(template: unknown, collisions?: number): string {
  let hash = fnv1a(canonical(template))
  if (collisions !== undefined) hash = fnv1a(String.fromCharCode(...littleEndian(collisions)), hash)
  return safeEncode(String(hash))
}

/** FNV-1a over the bytes of the text in UTF-8; 32 bits, unsigned. */
export function fnv1a(text: string, seed = OFFSET): number {
  let hash = seed
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, PRIME)
  return hash >>> 0
}

/** Each character as one of the safe alphabet. Source: apimachinery `rand.SafeEncodeString`. */
export function safeEncode(text: string): string {
  let out = ''
  for (const char of text) out += ALPHABET[(char.codePointAt(0) ?? 0) % ALPHABET.length]
  return out
}

function littleEndian(value: number): number[] {
  return [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24, 0, 0, 0, 0]
}

/** JSON with sorted properties and without those that are undefined. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (!isObject(value)) return JSON.stringify(value) ?? 'null'
  const keys = Object.keys(value)
    .filter((key) => value[key] !== undefined)
    .sort()
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(',')}}`
}
