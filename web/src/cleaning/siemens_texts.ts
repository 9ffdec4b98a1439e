// The texts of a Siemens header: XProtocol, `<ParamString."name"> { "value" }`, and ASCCONV, `name = "value"`. What
// such a field holds is written elsewhere, too, so every value is looked for in all other quoted texts, and of names
// their parts.
import { isFilled, patch, RuleSet, rules, type Kind, type Patch } from './blanks'

export interface Text {
  readonly position: number
  readonly content: string
}
export interface Value {
  readonly field: string
  readonly kind: Kind
  readonly start: number
  readonly content: string
  readonly hasParts: boolean
}

const PARAMETER = /<Param(?:String|Long|Double|Array|Choice)\."(\w+)">[ \t\r\n]*\{/g
const TOKEN = /"([^"]*)"|<([^<>]*)>|([{}])|([^ \t\r\n"<>{}]+)/dg
const ASCCONV = /(?<=\n|^)[ \t]*(?:[\w.[\]]*\.)?([A-Za-z]\w*)(?:\[\d+\])?[ \t]*=[ \t]*([^\r\n]*?)[ \t]*\r?(?=\n|$)/dg
const QUOTED = /\."[^"\r\n]*"|"([^"\r\n]+)"/g
const WORD_BREAK = /[^A-Za-z0-9\x80-\xff]+/
const LARGEST_BODY = 2 ** 16
const MOST_REPEATS = 256
const LONGEST_REPEAT = 4096
const XPROTOCOL_FIELDS = new RuleSet<{ name: string; parts?: boolean }>(rules.twix.xprotocol)
const ASCCONV_FIELDS = new RuleSet<{ name: string; parts?: boolean }>(rules.twix.ascconv)

export function patchesOfTexts(texts: readonly Text[], known: readonly Value[], loose: readonly Text[]): Patch[] {
  const found = texts.flatMap((text) => filledValues(text.content).map((value) => ({ position: text.position, value })))
  const patches = found.flatMap(({ position, value }) =>
    patch(value.field, value.kind, position + value.start, value.content),
  )
  const repeated = repeatedPattern([...known, ...found.map(({ value }) => value)])
  if (repeated === null) return patches
  const patched = new Set(found.map(({ position, value }) => position + value.start))
  const quoted = texts.flatMap((text) =>
    [...text.content.matchAll(QUOTED)]
      .filter((match) => match[1])
      .map((match) => ({ position: text.position + match.index + 1, content: match[1] ?? '' })),
  )
  for (const text of [...quoted, ...loose]) {
    if (patched.has(text.position)) continue
    for (const match of text.content.matchAll(repeated)) {
      patches.push(...patch(rules.twix.repeats.name, 'text', text.position + match.index, match[0]))
    }
  }
  return patches
}

function filledValues(text: string): Value[] {
  const seen = new Set<number>()
  return [...xprotocolValues(text), ...ascconvValues(text)].filter((value) => {
    if (!isFilled(value.kind, value.content) || seen.has(value.start)) return false
    seen.add(value.start)
    return true
  })
}

function xprotocolValues(text: string): Value[] {
  const values: Value[] = []
  const parameters = new RegExp(PARAMETER)
  for (let match = parameters.exec(text); match !== null; match = parameters.exec(text)) {
    const field = match[1] ?? ''
    const rule = XPROTOCOL_FIELDS.of(field)
    if (rule === undefined) continue
    const body = readBody(text, parameters.lastIndex)
    for (const [kind, start, end] of body.values) {
      values.push({ field, kind, start, content: text.slice(start, end), hasParts: rule.parts ?? false })
    }
    parameters.lastIndex = body.end
  }
  return values
}

interface Body {
  readonly values: readonly [Kind, number, number][]
  readonly end: number
}

/** Reads up to the closing brace, parameters inside included; what only describes a parameter is no value. */
function readBody(text: string, start: number): Body {
  const values: [Kind, number, number][] = []
  const end = Math.min(start + LARGEST_BODY, text.length)
  const body = text.slice(start, end)
  let depth = 1
  let describes = false
  let describedDepth = 0
  for (const token of body.matchAll(TOKEN)) {
    const [, quoted, tag, brace, word] = token
    const placeOf = (group: number): [number, number] => {
      const [from, to] = token.indices?.[group] ?? [0, 0]
      return [start + from, start + to]
    }
    if (tag !== undefined) {
      describes = tag !== 'Default' && !tag.startsWith('Param')
    } else if (brace === '{') {
      depth += 1
      if (describes && describedDepth === 0) describedDepth = depth
      describes = false
    } else if (brace === '}') {
      if (depth === describedDepth) describedDepth = 0
      depth -= 1
      if (depth === 0) return { values, end: start + token.index + 1 }
    } else if (describes || describedDepth !== 0) {
      describes = false
    } else if (quoted !== undefined) {
      values.push(['text', ...placeOf(1)])
    } else if (word !== undefined) {
      values.push(['number', ...placeOf(4)])
    }
  }
  return { values, end }
}

function ascconvValues(text: string): Value[] {
  const values: Value[] = []
  for (const line of text.matchAll(ASCCONV)) {
    const field = line[1] ?? ''
    const rule = ASCCONV_FIELDS.of(field)
    if (rule === undefined) continue
    const value = line[2] ?? ''
    const inner = value.replace(/^"+|"+$/g, '')
    const start = (line.indices?.[2]?.[0] ?? 0) + (inner ? value.indexOf(inner) : 0)
    values.push({
      field,
      kind: value.startsWith('"') ? 'text' : 'number',
      start,
      content: inner,
      hasParts: rule.parts ?? false,
    })
  }
  return values
}

function repeatedPattern(values: readonly Value[]): RegExp | null {
  const rule = rules.twix.repeats
  const common = new RegExp(`^(?:${rule.common_words})$`, 'i')
  const wanted = new Set<string>()
  const want = (text: string, from: number): void => {
    if (text.length >= from && text.length <= LONGEST_REPEAT && !common.test(text)) wanted.add(text)
  }
  for (const value of values) {
    if (value.kind !== 'text' || !isFilled('text', value.content)) continue
    want(value.content, rule.whole_from)
    if (value.hasParts) for (const part of value.content.split(WORD_BREAK)) want(part, rule.parts_from)
  }
  const longestFirst = [...wanted].sort((a, b) => b.length - a.length || (a < b ? -1 : 1)).slice(0, MOST_REPEATS)
  return longestFirst.length ? new RegExp(longestFirst.map(asPattern).join('|'), 'g') : null
}

/** A pattern for some bytes in which only the case of ASCII letters does not matter. */
function asPattern(text: string): string {
  return Array.from(text, (each) =>
    /[a-z]/i.test(each) ? `[${each.toLowerCase()}${each.toUpperCase()}]` : `\\x${each.charCodeAt(0).toString(16).padStart(2, '0')}`,
  ).join('')
}
