// ISMRMRD: which subject fields of the XML header are filled. A browser does not clean these files, it refuses them:
// the XML may lie anywhere in the HDF5 file, so all of it is looked through.
import { isFilled, RuleSet, rules, type Kind } from './blanks'
import type { Source } from './bytes'

const ELEMENT = /<(?:[\w.-]+:)?(\w+)(?:[ \t\r\n][^<>]*)?>([^<]+)<\//g
const PARAMETER =
  /<(?:[\w.-]+:)?name>[ \t\r\n]*([^<]*?)[ \t\r\n]*<\/(?:[\w.-]+:)?name>[ \t\r\n]*<(?:[\w.-]+:)?value>([^<]+)<\//g
const CHUNK = 2 ** 23
const OVERLAP = 2 ** 16
type Rule = { name: string; kind?: string }
const ELEMENTS = new RuleSet<Rule>(rules.ismrmrd)
const PARAMETERS = new RuleSet<Rule>(rules.ismrmrd_parameters)

export async function filledSubjectFields(file: Source): Promise<string[]> {
  const names = new Set<string>()
  for (let start = 0; start < file.size; start += CHUNK) {
    const text = await file.text(start, Math.min(CHUNK + OVERLAP, file.size - start))
    for (const [pattern, fields] of [[ELEMENT, ELEMENTS], [PARAMETER, PARAMETERS]] as const) {
      for (const [, name = '', value = ''] of text.matchAll(pattern)) {
        const rule = fields.of(name)
        if (rule && isFilled((rule.kind ?? 'text') as Kind, value.trim())) names.add(name)
      }
    }
  }
  return [...names].sort()
}
