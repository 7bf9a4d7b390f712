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

/** The English catalogue: flat, one line a text, in files by where it is used. "a | b" are singular and plural of `{n}`. */
export const en = {
  ...frame,
  ...lists,
  ...pods,
  ...machines,
  ...objects,
  ...actions,
  ...insight,
  ...helm,
  ...map,
  ...forms,
  ...virtual,
} as const
