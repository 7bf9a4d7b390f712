/** Steps of which not every part is evaluated, and the call that is evaluated most. */
import type { Callable } from './dispatch.ts'
import { CelError, noSuchOverload } from './errors.ts'
import { charge, type Step } from './frame.ts'
import { Optional } from './values.ts'

/** The call of what is most often called: with two arguments, of one overload. */
export function pair({ run, tests: [takesOne, takesOther] }: Callable, first: Step, second: Step): Step {
  return (frame) => {
    const [a, b] = [first(frame), second(frame)]
    if (!takesOne?.(a) || !takesOther?.(b)) throw noSuchOverload()
    charge(frame, 1)
    return run(a, b)
  }
}

export function choice(condition: Step, yes: Step, no: Step): Step {
  return (frame) => {
    const chosen = condition(frame)
    if (typeof chosen !== 'boolean') throw noSuchOverload()
    return chosen ? yes(frame) : no(frame)
  }
}

/** One `deciding` outcome is enough, even if the other term fails. */
export function logical(left: Step, right: Step, deciding: boolean): Step {
  return (frame) => {
    let failed: CelError | null = null
    try {
      const one = left(frame)
      if (one === deciding) return deciding
      if (typeof one !== 'boolean') failed = noSuchOverload()
    } catch (error) {
      if (!(error instanceof CelError)) throw error
      failed = error
    }
    const other = right(frame)
    if (other === deciding) return deciding
    if (failed) throw failed
    if (typeof other !== 'boolean') throw noSuchOverload()
    return !deciding
  }
}

export function alternative(target: Step, other: Step, whole: boolean): Step {
  return (frame) => {
    const one = target(frame)
    if (!(one instanceof Optional)) throw noSuchOverload()
    if (one.value === undefined) return other(frame)
    return whole ? one : one.value
  }
}
