/** The types of the schema facts, for tests. */
import { modelFacts } from '../../api/schema/facts.ts'
import { createTypes } from '../schema/build.ts'
import type { StructType } from '../schema/type.ts'

export const testTypes = createTypes(modelFacts)

/** `core.v1.Pod`, `apps.v1.Deployment`. */
export function modelType(name: string): StructType {
  return testTypes.struct(name.startsWith('meta.') ? `io.k8s.apimachinery.pkg.apis.${name}` : `io.k8s.api.${name}`)
}
