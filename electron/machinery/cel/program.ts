/** Expressions, ready to be evaluated many times. */
import { children, type Expr } from './ast.ts'
import { check, type Declarations } from './checker.ts'
import { describeErrors, Suspension, type SourceError } from './errors.ts'
import { compileChecked } from './evaluate.ts'
import type { Bindings, Frame } from './frame.ts'
import { checkLiterals, checkUniform } from './literals.ts'
import { parse, type ParseOptions } from './parser.ts'
import type { CelType } from './types.ts'
import type { Value } from './values.ts'

/** What one evaluation may cost at most. */
export const CALL_LIMIT = 1_000_000

/** What several evaluations may cost together, as for all rules of one object. */
export class Budget {
  left: number
  constructor(limit: number) {
    this.left = limit
  }
  get exhausted(): boolean {
    return this.left < 0
  }
}

export interface Program {
  readonly source: string
  /** Checked: nodes have their types. */
  readonly expr: Expr
  readonly type: CelType
  /** Names of the declared variables that it mentions. */
  readonly mentions: ReadonlySet<string>
  /**
   * `bindings` has the declared variables. Takes what it cost from the budget. Throws CelError if it fails, BudgetError if it costs
   * more than CALL_LIMIT, Suspension if it must wait (see `evaluateWhenReady`).
   */
  evaluate(bindings: Bindings, budget?: Budget): Value
}

export type CompileOutcome =
  | { readonly program: Program; readonly errors?: undefined; readonly message?: undefined }
  | {
      readonly program?: undefined
      readonly errors: readonly SourceError[]
      /** All errors with their lines, as Kubernetes shows them after "compilation failed: ". */
      readonly message: string
    }

export interface Language extends Declarations, ParseOptions {
  /** Whether literals of times and regular expressions are read beforehand. */
  readonly checkLiterals: boolean
}

export function compile(source: string, language: Language): CompileOutcome {
  const parsed = parse(source, language)
  if (parsed.errors) return failed(source, parsed.errors)
  const { expr } = parsed
  const errors = check(expr, language)
  const wrong = errors.length > 0 || !language.checkLiterals ? errors : [...checkLiterals(expr), ...checkUniform(expr)]
  if (wrong.length > 0) return failed(source, wrong)
  const { run, slots } = compileChecked(expr, language)
  const program: Program = {
    source,
    expr,
    type: expr.type as CelType,
    mentions: mentioned(expr, language),
    evaluate(bindings, budget) {
      const frame: Frame = { bindings, slots: new Array<Value>(slots), cost: 0, limit: CALL_LIMIT }
      try {
        return run(frame)
      } finally {
        if (budget) budget.left -= frame.cost
      }
    },
  }
  return { program }
}

function failed(source: string, errors: readonly SourceError[]): CompileOutcome {
  return { errors, message: describeErrors(source, errors) }
}

/** Evaluates, as often as answers that it waits for make necessary: functions that ask keep their answers. */
export async function evaluateWhenReady(program: Program, bindings: Bindings, budget?: Budget): Promise<Value> {
  for (;;) {
    const before = budget?.left ?? 0
    try {
      return program.evaluate(bindings, budget)
    } catch (error) {
      if (!(error instanceof Suspension)) throw error
      if (budget) budget.left = before
      await error.ready
    }
  }
}

function mentioned(expr: Expr, { variables }: Declarations): ReadonlySet<string> {
  const names = new Set<string>()
  const look = (one: Expr, hidden: ReadonlySet<string>) => {
    const name = one.kind === 'ident' ? one.name.replace(/^\./, '') : one.kind === 'select' ? (one.qualified ?? null) : null
    if (name !== null && !hidden.has(name) && variables.has(name)) names.add(name)
    if (one.kind !== 'fold') {
      for (const child of children(one)) if (one.kind !== 'call' || child !== one.target || one.qualified === undefined) look(child, hidden)
      return
    }
    look(one.range, hidden)
    look(one.initial, hidden)
    const outer = new Set(hidden).add(one.accumulator)
    look(one.result, outer)
    const inner = new Set(outer).add(one.variable)
    if (one.second !== null) inner.add(one.second)
    look(one.condition, inner)
    look(one.step, inner)
  }
  look(expr, new Set())
  return names
}
