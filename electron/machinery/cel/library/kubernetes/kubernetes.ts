/** The libraries of Kubernetes 1.36. Source: apiserver `cel/environment/base.go`. */
import { KUBERNETES_LISTS, LISTS, OPTIONALS, REGEX, SETS, STRINGS, TWO_VARIABLES, Environment, type Library } from '../../environment.ts'
import { define, global } from '../../functions.ts'
import { STRING } from '../../types.ts'
import { ENGLISH_FORMAT } from '../strings.ts'
import { AUTHORIZATION_TYPES, AUTHORIZER_FUNCTIONS } from './authorizer.ts'
import { FORMAT_FUNCTIONS, FORMAT_TYPE } from './named-format.ts'
import { CIDR_TYPE, IP_TYPE, NETWORK_FUNCTIONS } from './network.ts'
import { QUANTITY_FUNCTIONS, QUANTITY_TYPE } from './quantity.ts'
import { SEMVER_FUNCTIONS, SEMVER_TYPE } from './semver.ts'
import { URL_FUNCTIONS, URL_TYPE } from './url.ts'

const OWN: Library = {
  functions: [
    ENGLISH_FORMAT,
    ...URL_FUNCTIONS,
    ...NETWORK_FUNCTIONS,
    ...QUANTITY_FUNCTIONS,
    ...SEMVER_FUNCTIONS,
    ...FORMAT_FUNCTIONS,
    ...AUTHORIZER_FUNCTIONS,
  ],
  types: [URL_TYPE, IP_TYPE, CIDR_TYPE, QUANTITY_TYPE, SEMVER_TYPE, FORMAT_TYPE, ...AUTHORIZATION_TYPES],
}

/** For mutating policies. */
export const JSON_PATCH: Library = {
  functions: [
    define(
      'jsonpatch.escapeKey',
      global('string_jsonpatch_escapeKey_string', [STRING], STRING, (key: string) => key.replaceAll('~', '~0').replaceAll('/', '~1')),
    ),
  ],
}

/** What all expressions in Kubernetes start from; no variables yet. */
export function kubernetesEnvironment(...more: readonly Library[]): Environment {
  const libraries = [STRINGS, SETS, LISTS, KUBERNETES_LISTS, REGEX, OPTIONALS, TWO_VARIABLES, OWN, ...more]
  // Checked after the types are known, for what is formatted may be mixed.
  return new Environment({ libraries, mixed: true })
}
