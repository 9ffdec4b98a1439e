// Siemens TWIX: the texts of every measurement's header, and the table of measurements of VD/VE/XA files.
import { patch, rules, type Patch } from './blanks'
import { Damaged, toText, type Source } from './bytes'
import { patchesOfTexts, type Text, type Value } from './siemens_texts'

const TABLE_START = 8
const TABLE_ENTRY_BYTES = 152
const MOST_MEASUREMENTS = 64
const MOST_TEXTS = 64
const LONGEST_NAME = 48
const LARGEST_HEADER = 2 ** 28
const VE_FIRST_WORD_BELOW = 10_000
const VE_FIRST_OFFSET = TABLE_START + TABLE_ENTRY_BYTES * MOST_MEASUREMENTS

export function isTwixVe(head: DataView, size: number): boolean {
  if (head.byteLength < 24) return false
  const count = head.getUint32(4, true)
  const offset = Number(head.getBigUint64(16, true))
  return (
    head.getUint32(0, true) < VE_FIRST_WORD_BELOW &&
    count >= 1 &&
    count <= MOST_MEASUREMENTS &&
    offset >= VE_FIRST_OFFSET &&
    offset < size
  )
}

export function isTwixVb(head: DataView, size: number): boolean {
  if (head.byteLength < 64) return false
  const length = head.getUint32(0, true)
  const nTexts = head.getUint32(4, true)
  const name = toText(new Uint8Array(head.buffer, head.byteOffset + 8, LONGEST_NAME))
  const isInside = length >= VE_FIRST_WORD_BELOW && length < size && nTexts >= 1 && nTexts <= MOST_TEXTS
  return isInside && /^[A-Za-z0-9]{4,}\0/.test(name)
}

export async function twixPatches(file: Source, isVe: boolean): Promise<Patch[]> {
  const patches: Patch[] = []
  const known: Value[] = []
  const loose: Text[] = []
  const starts: number[] = []
  if (isVe) {
    const table = rules.twix.measurement_table
    const protocol = rules.twix.measurement_table_protocol
    const count = view(await file.bytes(4, 4)).getUint32(0, true)
    for (let number = 0; number < count; number += 1) {
      const entry = TABLE_START + TABLE_ENTRY_BYTES * number
      starts.push(Number(view(await file.bytes(entry + 8, 8)).getBigUint64(0, true)))
      const name = (await file.text(entry + table.offset, table.bytes)).replace(/\0+$/, '')
      patches.push(...patch(table.name, 'text', entry + table.offset, name))
      if (name) known.push({ field: table.name, kind: 'text', start: 0, content: name, hasParts: true })
      const position = entry + protocol.offset
      loose.push({ position, content: await file.text(position, protocol.bytes) })
    }
  } else {
    starts.push(0)
  }
  const texts: Text[] = []
  for (const start of starts) texts.push(...(await headerTexts(file, start)))
  return [...patches, ...patchesOfTexts(texts, known, loose)]
}

async function headerTexts(file: Source, start: number): Promise<Text[]> {
  const first = view(await file.bytes(start, 8))
  const length = first.getUint32(0, true)
  const nTexts = first.getUint32(4, true)
  if (length > LARGEST_HEADER || nTexts < 1 || nTexts > MOST_TEXTS) throw new Damaged('a header says what cannot be')
  const header = await file.bytes(start, length)
  const texts: Text[] = []
  let position = 8
  for (let number = 0; number < nTexts; number += 1) {
    const name = header.subarray(position, position + LONGEST_NAME).indexOf(0)
    const begin = position + name + 5
    if (name < 1 || begin > length) throw new Damaged('a text of the header has no name')
    const end = begin + view(header).getUint32(begin - 4, true)
    if (end > length) throw new Damaged('a text is longer than its header')
    texts.push({ position: start + begin, content: toText(header.subarray(begin, end)) })
    position = end
  }
  return texts
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
