/** ConfigMaps and Secrets as a list reads them: keys and sizes. No value crosses for a list, least of all a secret. */
import type { ConfigMap, Secret } from '../../api/core/v1/types.gen.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { slim } from './facts.ts'

export interface SlimData extends KubeObject {
  readonly type?: string
  /** Bytes, or characters of text, by key. */
  readonly sizes: Readonly<Record<string, number>>
}

const sizes = (data: Readonly<Record<string, string>> | undefined, factor: number) =>
  Object.entries(data ?? {}).map(([key, value]): [string, number] => [key, Math.floor(value.length * factor)])

/** Base64 is 4 letters for 3 bytes. */
const BASE64 = 0.75

export function dataSizes(object: ConfigMap | Secret | SlimData): Readonly<Record<string, number>> {
  if ('sizes' in object) return object.sizes
  const secret = object.kind === 'Secret'
  return Object.fromEntries([...sizes(object.data, secret ? BASE64 : 1), ...sizes((object as ConfigMap).binaryData, BASE64)])
}

export const totalSize = (object: ConfigMap | Secret | SlimData): number =>
  Object.values(dataSizes(object)).reduce((sum, size) => sum + size, 0)

export function slimData(object: ConfigMap | Secret): SlimData {
  const { apiVersion, kind, metadata } = slim<KubeObject>(object)
  const { type } = object as Secret
  return { apiVersion, kind, metadata, ...(type === undefined ? {} : { type }), sizes: dataSizes(object) }
}
