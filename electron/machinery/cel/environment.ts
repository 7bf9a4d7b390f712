/** What expressions can name: variables, types, and the functions of libraries. */
import { gather, type FunctionDeclaration } from './functions.ts'
import { LIST_EXTENSION, LIST_FUNCTIONS, SET_FUNCTIONS } from './library/collections.ts'
import { CONVERSIONS } from './library/conversions.ts'
import { MAP_INSERT, OPTIONAL_FUNCTIONS } from './library/optional.ts'
import { REGEX_FUNCTIONS } from './library/regex.ts'
import { STANDARD } from './library/standard.ts'
import { STRING_FUNCTIONS } from './library/strings.ts'
import { BINDING_MACROS, LIST_MACROS, OPTIONAL_MACROS, STANDARD_MACROS, TWO_VARIABLE_MACROS, type Macros } from './macros.ts'
import { compile, type CompileOutcome, type Language } from './program.ts'
import {
  BOOL,
  BYTES,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  LIST_DYN,
  MAP_DYN,
  NULL,
  STRING,
  TIMESTAMP,
  TYPE,
  UINT,
  optionalOf,
  type CelType,
} from './types.ts'

export interface Library {
  readonly functions?: readonly FunctionDeclaration[]
  readonly macros?: Macros
  /** That expressions may name, or make objects of. */
  readonly types?: readonly CelType[]
}

export interface EnvironmentOptions {
  readonly libraries?: readonly Library[]
  readonly variables?: Readonly<Record<string, CelType>>
  readonly types?: readonly CelType[]
  /** Lists and maps that are written out may hold different types, for the type checker at least; false: only one. */
  readonly mixed?: boolean
  /** Reads literals of times and regular expressions beforehand, and wants one type in lists and maps that are not formatted; by default true. */
  readonly checkLiterals?: boolean
  readonly quotedNames?: boolean
}

export const CORE: Library = { functions: [...STANDARD, ...CONVERSIONS], macros: STANDARD_MACROS }
export const STRINGS: Library = { functions: STRING_FUNCTIONS }
export const SETS: Library = { functions: SET_FUNCTIONS }
export const LISTS: Library = { functions: [...LIST_EXTENSION], macros: LIST_MACROS }
export const KUBERNETES_LISTS: Library = { functions: LIST_FUNCTIONS }
export const REGEX: Library = { functions: REGEX_FUNCTIONS }
export const OPTIONALS: Library = { functions: OPTIONAL_FUNCTIONS, macros: OPTIONAL_MACROS, types: [optionalOf(DYN)] }
export const BINDINGS: Library = { macros: BINDING_MACROS }
export const TWO_VARIABLES: Library = { functions: [MAP_INSERT], macros: TWO_VARIABLE_MACROS }

const BUILT_IN: readonly CelType[] = [BOOL, BYTES, DOUBLE, DURATION, DYN, INT, LIST_DYN, MAP_DYN, NULL, STRING, TIMESTAMP, TYPE, UINT]

export class Environment {
  readonly #options: EnvironmentOptions
  readonly #language: Language

  /** `known`: of the same libraries. */
  constructor(options: EnvironmentOptions = {}, known?: Pick<Language, 'functions' | 'macros'>) {
    const libraries = [CORE, ...(options.libraries ?? [])]
    const types = new Map(
      [...BUILT_IN, ...libraries.flatMap(({ types: own = [] }) => own), ...(options.types ?? [])].map((type) => [type.name, type]),
    )
    this.#options = options
    this.#language = {
      functions: known?.functions ?? gather(libraries.flatMap(({ functions = [] }) => functions)),
      macros: known?.macros ?? new Map(libraries.flatMap(({ macros = new Map() }) => [...macros])),
      variables: new Map(Object.entries(options.variables ?? {})),
      types: (name) => types.get(name),
      mixed: options.mixed ?? false,
      checkLiterals: options.checkLiterals ?? true,
      quotedNames: options.quotedNames ?? false,
    }
  }

  get language(): Language {
    return this.#language
  }

  /** With more variables and types; those of the same name take the place of what is there. */
  extend({ variables = {}, types = [] }: Pick<EnvironmentOptions, 'variables' | 'types'>): Environment {
    const options = {
      ...this.#options,
      variables: { ...this.#options.variables, ...variables },
      types: [...(this.#options.types ?? []), ...types],
    }
    return new Environment(options, this.#language)
  }

  compile(source: string): CompileOutcome {
    return compile(source, this.#language)
  }
}
