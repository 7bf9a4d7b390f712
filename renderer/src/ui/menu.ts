import type { IconName } from './icons.ts'

export type MenuEntry =
  | 'line'
  | {
      readonly text: string
      readonly icon?: IconName
      readonly keys?: readonly string[]
      readonly danger?: boolean
      readonly disabled?: boolean
      readonly checked?: boolean
      select(): void
    }
