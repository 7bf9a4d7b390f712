/** Values as text: what they say, and where they do not fit the chart's schema. */
import { isMap, isScalar, LineCounter, parseDocument, stringify, type Node } from 'yaml'
import type { HelmValues } from '../../../../electron/api/helm/release.ts'
import { computedValues } from '../../../../electron/api/helm/values.ts'
import { messageOf } from '../../../../electron/base/errors.ts'
import type { Problem } from '../../editor/yaml.ts'
import { t, type MessageKey } from '../../i18n/index.ts'
import { checkSchema } from './schema.ts'

export interface ValuesText {
  /** Null where the text is no mapping. */
  readonly values: HelmValues | null
  readonly problems: readonly Problem[]
}

const translate = t as (key: MessageKey, params: Readonly<Record<string, string | number>>) => string

/** `own`: the chart's values, which those of the text are laid over before the schema is asked. */
export function readValues(text: string, own?: HelmValues, schema?: unknown): ValuesText {
  const lines = new LineCounter()
  const doc = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true })
  const problem = (from: number, to: number, message: string): Problem => ({
    line: lines.linePos(from).line,
    from,
    to: Math.max(to, from + 1),
    message,
  })
  if (doc.errors.length) return { values: null, problems: doc.errors.map(({ pos, message }) => problem(pos[0], pos[1], message)) }
  let read: unknown
  try {
    read = doc.toJS()
  } catch (error) {
    return { values: null, problems: [problem(0, 0, messageOf(error))] }
  }
  if (read === null || read === undefined) read = {}
  else if (!isMap(doc.contents)) return { values: null, problems: [problem(0, text.length, t('helm.values.notMap'))] }
  const values = read as HelmValues
  if (schema === undefined) return { values, problems: [] }
  const issues = checkSchema(schema, computedValues(own, values))
  return {
    values,
    problems: issues.map(({ path, key, params }) => {
      const [from, to] = placeOf(doc.contents, path)
      return problem(from, to, `${path.length ? `${path.join('.')} ` : ''}${translate(key, params)}`)
    }),
  }
}

/** The range of the value at the path, or of the nearest key above it that the text has. */
function placeOf(root: Node | null, path: readonly (string | number)[]): [number, number] {
  let node: unknown = root
  let range: [number, number] = [0, 0]
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(part))
      if (!pair) break
      const at = ((isScalar(pair.value) ? pair.value : pair.key) as Node).range
      if (at) range = [at[0], at[1]]
      node = pair.value
    } else if (typeof node === 'object' && node !== null && 'items' in node) {
      node = (node.items as unknown[])[Number(part)]
      const at = (node as Node | undefined)?.range
      if (!at) break
      range = [at[0], at[1]]
    } else break
  }
  return range
}

export const valuesText = (values: HelmValues | null | undefined): string =>
  values && Object.keys(values).length ? stringify(values, { lineWidth: 0, aliasDuplicateObjects: false }) : ''
