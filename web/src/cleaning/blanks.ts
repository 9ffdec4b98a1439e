// What takes the place of a value that could identify a person: as many bytes, which say nothing. The words for it
// stand in the rule file, which the Python side reads, too.
import rules from '../../../src/mroptimum/rawdata/patient_fields.json'

export { rules }

export type Kind = 'text' | 'code' | 'number' | 'age' | 'date' | 'time' | 'instant' | 'sex' | 'uid' | 'bytes' | 'base64'

export interface Patch {
  readonly field: string
  readonly position: number
  readonly content: string
}

const WHITE = ' \t\r\n'
const every =
  (character: string, but = '') =>
  (value: string): string =>
    Array.from(value, (each) => (but.includes(each) ? each : character)).join('')
const number = every('0', WHITE + '.')
const time = every('0', WHITE + '.:')

const BLANKS: Record<Kind, (value: string) => string> = {
  text: every('x'),
  code: every('X'),
  number,
  age: (value) => (value.length === 4 ? '000Y' : number(value)),
  date: (value) => (value.length === 10 ? '1900-01-01' : value.length === 8 ? '19000101' : number(value)),
  time,
  instant: (value) => (value.length >= 8 ? '19000101' + time(value.slice(8)) : number(value)),
  sex: every('O'),
  uid,
  bytes: every('\0'),
  base64: every('A', WHITE + '='),
}

export function blank(kind: Kind, value: string): string {
  return BLANKS[kind](value)
}

/** Tells whether a value says anything; one that was blanked, here or by somebody with x and 0, does not. */
export function isFilled(kind: Kind, value: string): boolean {
  if (blank(kind, value) === value) return false
  if (kind === 'bytes' || kind === 'base64') return true
  const blanks = `${rules.blank_characters}\r\n"`
  return Array.from(value.replace(/\0+$/, '')).some((each) => !blanks.includes(each))
}

export function patch(field: string, kind: Kind, position: number, value: string): Patch[] {
  return isFilled(kind, value) ? [{ field, position, content: blank(kind, value) }] : []
}

export function namesOf(patches: readonly Patch[]): string[] {
  return [...new Set(patches.map((each) => each.field))].sort()
}

/** Looks rules up by the whole name of a field, without case. */
export class RuleSet<R extends { name: string }> {
  private readonly patterns: [RegExp, R][]

  constructor(list: readonly R[]) {
    this.patterns = list.map((rule) => [new RegExp(`^(?:${rule.name})$`, 'i'), rule])
  }

  of(name: string): R | undefined {
    return this.patterns.find(([pattern]) => pattern.test(name))?.[1]
  }
}

/** Keeps the points, so that what is left still is an identifier. */
function uid(value: string): string {
  const id = value.replace(/[\0 ]+$/, '')
  const components = id.split('.').map((part) => (part.length > 1 ? '1'.padEnd(part.length, '0') : '0'.repeat(part.length)))
  return components.join('.') + value.slice(id.length)
}
