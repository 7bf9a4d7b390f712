/** Helm's way of laying values over a chart's own. Source: Helm's pkg/chartutil (CoalesceValues). */
import type { HelmValues } from './release.ts'

const isTable = (value: unknown): value is HelmValues => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The values a chart is rendered with: `set` over `own`, maps key by key, lists whole; null in `set` takes a key of `own` away. */
export function computedValues(own: HelmValues | null | undefined, set: HelmValues | null | undefined): HelmValues {
  const result: Record<string, unknown> = { ...own }
  for (const [key, value] of Object.entries(set ?? {})) {
    const before = own?.[key]
    if (value === null && own && key in own) delete result[key]
    else result[key] = isTable(value) && isTable(before) ? computedValues(before, value) : value
  }
  return result
}
