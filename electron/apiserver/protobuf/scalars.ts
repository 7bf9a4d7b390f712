/** Messages that are a scalar, or anything at all, in JSON. Sources: apimachinery `resource`, `intstr`, `meta/v1`, `runtime`. */
import { formatDurationNanos } from '../../api/values/duration.ts'
import { formatMicroTime, formatTime } from '../../api/values/time.ts'
import { BYTES, WireError, WireReader } from './wire.ts'

/** The JSON value of a message; undefined where JSON leaves it out. */
export type Scalar = (message: Buffer) => unknown

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.'

export const SCALARS: Readonly<Record<string, Scalar>> = {
  'io.k8s.apimachinery.pkg.api.resource.Quantity': (message) => text(fields(message).get(1)),
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': (message) => {
    const found = fields(message)
    return number(found.get(1)) === 1 ? text(found.get(3)) : number(found.get(2))
  },
  'io.k8s.apimachinery.pkg.runtime.RawExtension': raw,
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON': raw,
  [`${META}FieldsV1`]: raw,
  [`${META}Duration`]: (message) => formatDurationNanos(BigInt(number(fields(message).get(1)))),
  [`${META}Time`]: (message) => (message.length === 0 ? undefined : formatTime(number(fields(message).get(1)) * 1000)),
  [`${META}MicroTime`]: (message) => {
    if (message.length === 0) return undefined
    const found = fields(message)
    return formatMicroTime(number(found.get(1)) * 1000 + number(found.get(2)) / 1e6)
  },
}

/** JSON in bytes. */
function raw(message: Buffer): unknown {
  const json = fields(message).get(1)
  if (!(json instanceof Buffer) || json.length === 0) return undefined
  try {
    return JSON.parse(json.toString('utf8'))
  } catch (cause) {
    throw new WireError('an embedded object is not JSON', { cause })
  }
}

function fields(message: Buffer): Map<number, number | Buffer> {
  const found = new Map<number, number | Buffer>()
  const reader = new WireReader(message)
  while (!reader.done) {
    const { field, wire } = reader.tag()
    if (wire === 0) found.set(field, reader.integer())
    else if (wire === BYTES) found.set(field, reader.bytes())
    else reader.skip(wire)
  }
  return found
}

function number(value: number | Buffer | undefined): number {
  return typeof value === 'number' ? value : 0
}

function text(value: number | Buffer | undefined): string {
  return value instanceof Buffer ? value.toString('utf8') : ''
}
