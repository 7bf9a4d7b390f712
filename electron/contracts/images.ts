/** Images on the machines beside those that come as archives. */
import * as v from 'valibot'
import { stream } from './channel.ts'

const name = v.pipe(v.string(), v.minLength(1), v.maxLength(253))
/** "docker.io/library/web:2", "ghcr.io/team/web@sha256:…": what an option of a program could not be. */
const reference = v.pipe(v.string(), v.regex(/^[a-z0-9][\w.:/@-]*$/i), v.maxLength(512))
const outcome = [
  v.object({ type: v.literal('progress'), machine: v.string(), detail: v.string() }),
  v.object({ type: v.literal('done'), machine: v.string(), images: v.array(v.string()) }),
  v.object({ type: v.literal('failed'), machine: v.string(), code: v.string(), what: v.string(), why: v.string(), next: v.string() }),
] as const

export const IMAGE_CHANNELS = {
  /** Takes images away by all their names. What a pod of the machine uses when it is asked stays; `done` tells what went. */
  'images.remove': stream(
    v.object({ machines: v.pipe(v.array(v.object({ machine: name, images: v.array(reference) })), v.maxLength(500)) }),
    v.never(),
    v.variant('type', [...outcome]),
  ),
  /** Has machines fetch an image from its registry, without credentials. */
  'images.pull': stream(v.object({ machines: v.array(name), image: reference }), v.never(), v.variant('type', [...outcome])),
} as const
