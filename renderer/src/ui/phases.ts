import type { Tone } from '../kube/tone.ts'

export interface PhaseRow {
  readonly name: string
  readonly title: string
  readonly tone: Tone
  readonly detail?: string | undefined
  readonly time: string
}
