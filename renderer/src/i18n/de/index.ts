import { actions } from './actions.ts'
import { forms } from './forms.ts'
import { frame } from './frame.ts'
import { helm } from './helm.ts'
import { insight } from './insight.ts'
import { lists } from './lists.ts'
import { machines } from './machines.ts'
import { map } from './map.ts'
import { objects } from './objects.ts'
import { pods } from './pods.ts'
import { virtual } from './virtual.ts'
import type { Messages, SameParameters } from '../texts.ts'

const all = { ...frame, ...lists, ...pods, ...machines, ...objects, ...actions, ...insight, ...helm, ...map, ...forms, ...virtual } as const

/**
 * The German catalogue. Names of kinds, and what German speakers say in English of Kubernetes, stay as they are; buttons are
 * infinitives, and nobody is addressed.
 */
export const de: Messages = all satisfies SameParameters<typeof all>
