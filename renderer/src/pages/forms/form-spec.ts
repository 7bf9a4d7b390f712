/** A form for one kind, as data: what is asked, where it stands in the object, and what is filled in at first. */
import type { PlainKey } from '../../i18n/index.ts'
import type { Resource } from '../../kube/resources.ts'

/** Keys and indexes from where the field's group begins. */
export type Path = readonly (string | number)[]

interface Common {
  readonly path: Path
  readonly label: PlainKey
  readonly help?: PlainKey
  readonly required?: boolean
  /** Shown only while the value at this path is one of these; absent counts as ''. */
  readonly when?: { readonly path: Path; readonly is: readonly string[] }
}

export type Field =
  /** `check`: what it must look like. */
  | (Common & {
      readonly input: 'text'
      readonly check?: 'name' | 'quantity' | 'cron'
      readonly placeholder?: string
      readonly mono?: boolean
    })
  /** A number, or with `orPercent` also "25%". */
  | (Common & { readonly input: 'number'; readonly min?: number; readonly max?: number; readonly orPercent?: boolean })
  | (Common & { readonly input: 'select'; readonly options: readonly string[] })
  | (Common & { readonly input: 'switch' })
  /** Namespaces that there are, and others. */
  | (Common & { readonly input: 'namespace' })
  /** Lines of text. */
  | (Common & { readonly input: 'lines' })
  /** Keys with texts; `long`: of several lines, `secret`: hidden. */
  | (Common & { readonly input: 'pairs'; readonly long?: boolean; readonly secret?: boolean })
  /** Words, separated by commas. */
  | (Common & { readonly input: 'words'; readonly placeholder?: string })
  /** Groups of fields, as many as wanted; `make` is a new one. */
  | (Common & { readonly input: 'many'; readonly of: readonly Field[]; readonly make: unknown; readonly add: PlainKey })
  /** A registry's address, user and password, as `kubectl create secret docker-registry` packs them. */
  | (Common & { readonly input: 'registry' })

export interface FormSection {
  readonly title: PlainKey
  readonly fields: readonly Field[]
}

export interface FormSpec {
  readonly resource: Resource
  readonly sections: readonly FormSection[]
  /** The object without apiVersion, kind and metadata. */
  readonly start: Readonly<Record<string, unknown>>
}
