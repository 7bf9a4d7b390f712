/** Editing a live object as YAML: an edit is never lost when someone else writes meanwhile; it is put on top of their version. */
import { computed, ref, shallowRef, type ComputedRef, type Ref, type ShallowRef } from 'vue'
import type { KubeObject } from '../../../../electron/api/meta/v1/object.ts'
import { refusalInWords, refusedPlaces } from '../../editor/refusal.ts'
import { parseManifest, toYaml, type Manifest, type Problem } from '../../editor/yaml.ts'
import { rebase } from '../../editor/rebase.ts'
import { failureOf, isConflict, StatusFailure, type Failure } from '../../face/failure.ts'
import { t } from '../../i18n/index.ts'
import { FIELD_MANAGER, pathTo, type ApiCall } from '../../kube/api.ts'
import { fullName, type ObjectRef } from '../../kube/resources.ts'

export interface YamlEdit {
  readonly text: Ref<string>
  readonly base: Readonly<ShallowRef<KubeObject | null>>
  readonly dirty: ComputedRef<boolean>
  readonly manifest: ComputedRef<Manifest>
  /** Of the text itself, and of what the server said about fields. */
  readonly problems: ComputedRef<readonly Problem[]>
  readonly busy: Readonly<Ref<boolean>>
  readonly failure: Readonly<ShallowRef<Failure | null>>
  readonly warnings: Readonly<ShallowRef<readonly string[]>>
  /** Fields that were changed by both, when that kept it from being saved. */
  readonly conflicts: Readonly<ShallowRef<readonly string[]>>
  /** Takes an object from the server as the new starting point, dropping the edit. */
  load(object: KubeObject): void
  call(dryRun?: boolean): ApiCall | null
  /** True if it was accepted. */
  save(options?: { dryRun?: boolean; mineWins?: boolean }): Promise<boolean>
}

export function useYamlEdit(deps: {
  readonly at: () => ObjectRef
  readonly request: (call: ApiCall) => Promise<{ body: KubeObject; warnings: readonly string[] }>
}): YamlEdit {
  const text = ref('')
  const original = ref('')
  const base = shallowRef<KubeObject | null>(null)
  const busy = ref(false)
  const failure = shallowRef<Failure | null>(null)
  const warnings = shallowRef<readonly string[]>([])
  const conflicts = shallowRef<readonly string[]>([])
  /** The text that the failure is about. */
  const judged = ref('')

  const manifest = computed(() => parseManifest(text.value))
  const edited = computed(() => manifest.value.documents[0]?.object ?? null)
  const problems = computed<readonly Problem[]>(() => {
    const own = manifest.value.problems
    if (own.length || !failure.value || judged.value !== text.value) return own
    return refusedPlaces(manifest.value, 0, failure.value)
  })

  function callFor(object: unknown, dryRun: boolean): ApiCall {
    return {
      method: 'PUT',
      path: pathTo(deps.at()),
      query: { fieldManager: FIELD_MANAGER, fieldValidation: 'Strict', ...(dryRun ? { dryRun: 'All' } : {}) },
      body: object,
    }
  }

  function load(object: KubeObject): void {
    base.value = object
    original.value = text.value = toYaml(object)
    failure.value = null
    conflicts.value = []
    warnings.value = []
  }

  /** The edit on top of what is there now; null if both changed the same. */
  async function rebased(mineWins: boolean): Promise<unknown> {
    const { body: theirs } = await deps.request({ method: 'GET', path: pathTo(deps.at()) })
    const strip = (object: unknown) => {
      const { metadata, ...rest } = object as KubeObject
      const { resourceVersion: _version, managedFields: _managed, generation: _generation, ...kept } = metadata
      return { ...rest, metadata: kept }
    }
    const { result, conflicts: both } = rebase(strip(base.value), strip(edited.value), strip(theirs))
    if (both.length && !mineWins) {
      conflicts.value = both
      return null
    }
    const object = result as KubeObject
    return { ...object, metadata: { ...object.metadata, resourceVersion: theirs.metadata.resourceVersion } }
  }

  return {
    text,
    base,
    dirty: computed(() => text.value !== original.value),
    manifest,
    problems,
    busy,
    failure,
    warnings,
    conflicts,
    load,
    call: (dryRun = false) => (edited.value ? callFor(edited.value, dryRun) : null),
    async save({ dryRun = false, mineWins = false } = {}) {
      if (!edited.value || manifest.value.problems.length) return false
      busy.value = true
      failure.value = null
      conflicts.value = []
      const sent = text.value
      try {
        let answer
        try {
          answer = await deps.request(callFor(edited.value, dryRun))
        } catch (error) {
          if (!isConflict(error) || !(error instanceof StatusFailure)) throw error
          const object = await rebased(mineWins)
          if (!object) return false
          answer = await deps.request(callFor(object, dryRun))
        }
        if (!dryRun) load(answer.body)
        warnings.value = answer.warnings
        return true
      } catch (error) {
        judged.value = sent
        const refused = failureOf(error, t(dryRun ? 'yaml.checkFailed' : 'yaml.saveFailed', { name: fullName(deps.at()) }))
        failure.value = refused && refusalInWords(refused, deps.at().resource.kind)
        return false
      } finally {
        busy.value = false
      }
    },
  }
}
