/** Questions before something that cannot be taken back, and the few numbers that must be asked. One at a time. */
import { defineStore } from 'pinia'
import { shallowRef } from 'vue'
import type { Plan } from '../actions/plan.ts'
import type { ObjectRef } from '../kube/resources.ts'
import type { Tone } from '../kube/tone.ts'

export interface Question {
  readonly title: string
  /** What will go and what stays, one fact a line. */
  readonly points: readonly { readonly tone: Tone; readonly text: string }[]
  /** The names of what it is about, where there are several. */
  readonly names?: readonly string[]
  readonly options?: readonly { readonly id: string; readonly text: string; readonly help: string }[]
  /** The button: what it does, with a count. */
  readonly confirm: string
  readonly danger?: boolean
  plan(options: ReadonlySet<string>): Plan
  /** When all went well. */
  done?(): void
}

export interface ScaleQuestion {
  readonly ref: ObjectRef
  readonly replicas: number
}

export interface ImageQuestion {
  /** A workload with a template, or a pod that nothing made. */
  readonly ref: ObjectRef
  readonly container: string
  readonly image: string
}

export const useQuestions = defineStore('questions', () => {
  const question = shallowRef<Question | null>(null)
  const scale = shallowRef<ScaleQuestion | null>(null)
  const image = shallowRef<ImageQuestion | null>(null)
  return {
    question,
    scale,
    image,
    ask: (next: Question) => void (question.value = next),
    askImage: (next: ImageQuestion) => void (image.value = next),
    askScale: (next: ScaleQuestion) => void (scale.value = next),
  }
})
