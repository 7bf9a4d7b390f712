/**
 * Values as text, the way structured clone carries them: undefined, numbers that JSON lacks, dates, errors and bytes besides what JSON
 * has. With `live` functions and promises cross too, as the context bridge lets them. The source text of this function also runs inside
 * Chromium, so it refers to nothing outside itself.
 *
 * @param {{ onFunction(fn: Function): number, toFunction(id: number): Function, onPromise(p: Promise<unknown>): number, toPromise(id: number): Promise<unknown> } | null} live
 */
export function makeCodec(live = null) {
  const { stringify, parse } = JSON
  const { entries, fromEntries } = Object
  const toBase64 = (bytes) => (bytes.toBase64 ? bytes.toBase64() : Buffer.from(bytes).toString('base64'))
  const fromBase64 = (text) => (Uint8Array.fromBase64 ? Uint8Array.fromBase64(text) : new Uint8Array(Buffer.from(text, 'base64')))
  const refuse = () => {
    throw new Error('An object could not be cloned.')
  }

  /** Everything that is not JSON by itself becomes an array of a tag and its content. */
  const pack = (value) => {
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
    if (typeof value === 'number') return Number.isFinite(value) ? value : ['number', String(value)]
    if (value === undefined) return ['undefined']
    if (typeof value === 'function') return live ? ['function', live.onFunction(value)] : refuse()
    if (typeof value !== 'object' || value instanceof WeakMap) return refuse()
    if (value instanceof Promise) return live ? ['promise', live.onPromise(value)] : refuse()
    if (value instanceof Uint8Array) return ['bytes', toBase64(value)]
    if (value instanceof Date) return ['date', value.getTime()]
    if (value instanceof Error) return ['error', value.message]
    if (Array.isArray(value)) return ['array', value.map(pack)]
    return fromEntries(entries(value).map(([key, field]) => [key, pack(field)]))
  }
  const UNPACK = {
    number: (content) => Number(content),
    undefined: () => undefined,
    function: (content) => live.toFunction(content),
    promise: (content) => live.toPromise(content),
    bytes: fromBase64,
    date: (content) => new Date(content),
    error: (content) => new Error(content),
    array: (content) => content.map(unpack),
  }
  const unpack = (packed) => {
    if (Array.isArray(packed)) return UNPACK[packed[0]](packed[1])
    if (packed === null || typeof packed !== 'object') return packed
    return fromEntries(entries(packed).map(([key, field]) => [key, unpack(field)]))
  }
  return { encode: (value) => stringify(pack(value)), decode: (text) => unpack(parse(text)) }
}
