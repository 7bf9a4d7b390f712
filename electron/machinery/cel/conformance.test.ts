import { describe, expect, it } from 'vitest'
import { BINDINGS, Environment, LISTS, OPTIONALS, SETS, STRINGS, TWO_VARIABLES, type Library } from './environment.ts'
import { CelError } from './errors.ts'
import { STRING_REVERSE } from './library/strings.ts'
import { conformanceTests, type ConformanceTest } from './testing/conformance.ts'
import { formatType } from './types.ts'
import { equals, runtimeType, showValue, type Value } from './values.ts'

const MORE: Library = { functions: [STRING_REVERSE] }
const libraries = [STRINGS, OPTIONALS, BINDINGS, TWO_VARIABLES, SETS, LISTS, MORE]

type Outcome = { readonly value: Value } | { readonly failure: string }

function outcomeOf({ expr, variables, bindings }: ConformanceTest): Outcome & { readonly type?: string } {
  const { program, message } = new Environment({ libraries, variables, mixed: true, checkLiterals: false, quotedNames: true }).compile(expr)
  if (!program) return { failure: message }
  const type = formatType(program.type)
  try {
    return { value: program.evaluate(bindings), type }
  } catch (error) {
    if (error instanceof CelError) return { failure: error.message, type }
    throw error
  }
}

function sameValue(found: Value, wanted: Value): boolean {
  if (typeof found === 'number' && typeof wanted === 'number') return Object.is(found, wanted)
  return runtimeType(found).name === runtimeType(wanted).name && equals(found, wanted)
}

describe("CEL's conformance tests", () => {
  const tests = conformanceTests()

  it('are many', () => {
    expect(tests.length).toBeGreaterThan(900)
  })

  it.each(tests.map((test) => [test.name, test.expr, test] as const))('%s: %s', (_name, _expr, test) => {
    const found = outcomeOf(test)
    if (test.type) expect(found.type).toBe(formatType(test.type))
    if (test.checkOnly) return
    if (test.fails) return expect(found).toHaveProperty('failure')
    expect(found).toHaveProperty('value')
    const { value } = found as { value: Value }
    const wanted = test.value === undefined ? true : test.value
    expect(sameValue(value, wanted), `${showValue(value)} is not ${showValue(wanted)}`).toBe(true)
  })
})
