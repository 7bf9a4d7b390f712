/** `$(NAME)` in environment values, commands and paths. Source: kubernetes `third_party/forked/golang/expansion`. */

/**
 * Replaces `$(NAME)` by what `lookup` gives; a name that it does not know stays as written. `$$` is a dollar that begins nothing:
 * `$$(NAME)` comes out as `$(NAME)`.
 */
export function expand(text: string, lookup: (name: string) => string | undefined): string {
  return text.replace(/\$(?:\$|\(([^)]*)\))/g, (whole, name: string | undefined) => {
    if (name === undefined) return '$'
    return lookup(name) ?? whole
  })
}

/** A variable of which the text needs the value and there is none. */
export class UnknownVariableError extends Error {
  override readonly name = 'UnknownVariableError'
}

/** As `expand`, for paths: every name must be known. */
export function expandStrictly(text: string, lookup: (name: string) => string | undefined): string {
  return expand(text, (name) => {
    const value = lookup(name)
    if (value === undefined) throw new UnknownVariableError(`missing value for "${name}"`)
    return value
  })
}
