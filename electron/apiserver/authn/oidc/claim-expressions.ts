/** Expressions over the claims of a token, and over the user made of them. Source: apiserver `authentication/cel`, KEP-3331. */
import { children, type Expr } from '../../../machinery/cel/ast.ts'
import type { Environment } from '../../../machinery/cel/environment.ts'
import { kubernetesEnvironment } from '../../../machinery/cel/library/kubernetes/kubernetes.ts'
import type { Program } from '../../../machinery/cel/program.ts'
import { BOOL, DYN, formatType, listOf, mapOf, recordType, sameType, STRING } from '../../../machinery/cel/types.ts'

export const CLAIMS_TYPE = mapOf(STRING, DYN)
export const USER_TYPE = recordType('kubernetes.UserInfo', {
  username: STRING,
  uid: STRING,
  groups: listOf(STRING),
  extra: mapOf(STRING, listOf(STRING)),
})

const LIST_OF_STRINGS = listOf(STRING)

export interface ClaimLanguage {
  /** Null and why, if it cannot be used. */
  compile(source: string, over: 'claims' | 'user', wanted: 'text' | 'texts' | 'condition'): { program: Program | null; error: string }
}

export function claimLanguage(): ClaimLanguage {
  const base = kubernetesEnvironment()
  const environments: Readonly<Record<'claims' | 'user', Environment>> = {
    claims: base.extend({ variables: { claims: CLAIMS_TYPE } }),
    user: base.extend({ variables: { user: USER_TYPE } }),
  }
  const types = { text: [STRING], texts: [STRING, LIST_OF_STRINGS], condition: [BOOL] }
  return {
    compile(source, over, wanted) {
      const { program, message } = environments[over].compile(source)
      if (!program) return { program: null, error: `compilation failed: ${message}` }
      const fits = program.type.kind === 'dyn' || types[wanted].some((type) => sameType(type, program.type)) || isDynList(program, wanted)
      if (fits) return { program, error: '' }
      const allowed = types[wanted].map(formatType)
      const which = allowed.length === 1 ? `must evaluate to ${allowed[0]}` : `must evaluate to one of [${allowed.join(' ')}]`
      return { program: null, error: which }
    },
  }
}

/** What its items are is seen when it has been evaluated. */
function isDynList({ type }: Program, wanted: string): boolean {
  return wanted === 'texts' && type.kind === 'list' && type.params[0]?.kind === 'dyn'
}

/** Whether an expression looks at `claims.NAME`, in whichever way it is written. */
export function usesClaim(expr: Expr, name: string): boolean {
  if (expr.kind === 'select' && expr.field === name && isClaims(expr.operand)) return true
  if (expr.kind === 'call' && expr.args.some((one) => one.kind === 'literal' && one.value === name) && children(expr).some(isClaims))
    return true
  return children(expr).some((child) => usesClaim(child, name))
}

function isClaims(expr: Expr | null): boolean {
  return expr?.kind === 'ident' && expr.name.replace(/^\./, '') === 'claims'
}
