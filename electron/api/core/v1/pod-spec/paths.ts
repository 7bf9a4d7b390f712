/** Checks of paths inside volumes and containers, and of file modes. */
import { invalid, type FieldError } from '../../../values/field-error.ts'

export function noBacksteps(path: string, field: string): FieldError[] {
  return path.split('/').includes('..') ? [invalid(field, path, "must not contain '..'")] : []
}

/** Relative, and never upwards. */
export function localDescendingPath(path: string, field: string): FieldError[] {
  return [...(path.startsWith('/') ? [invalid(field, path, 'must be a relative path')] : []), ...noBacksteps(path, field)]
}

/** The same, and with no first element that begins with "..": those names are the volume's own. */
export function localNonReservedPath(path: string, field: string): FieldError[] {
  const out = localDescendingPath(path, field)
  if (path.startsWith('..') && !path.startsWith('../')) out.push(invalid(field, path, "must not start with '..'"))
  return out
}

export function fileMode(mode: number | undefined, field: string): FieldError[] {
  return mode !== undefined && (mode < 0 || mode > 0o777)
    ? [invalid(field, mode, 'must be a number between 0 and 0777 (octal), both inclusive')]
    : []
}
