// DICOM: every value is blanked that is not on the list of what describes the image; private values go with them. The
// elements are walked as DICOM PS3.5 has them, every length held against the file.
import { patch, rules, type Kind, type Patch } from './blanks'
import { Damaged, toText, type Source } from './bytes'

const PREAMBLE_BYTES = 128
const LARGEST_IMAGE = 2 ** 30
const MOST_ELEMENTS = 200_000
const DEEPEST = 16
const TRANSFER_SYNTAX = 0x0002_0010
const PIXEL_DATA = 0x7fe0_0010
const [ITEM, ITEM_END, SEQUENCE_END] = [0xfffe_e000, 0xfffe_e00d, 0xfffe_e0dd]
const UNDEFINED = 0xffff_ffff
const UNKNOWN = '??'
const LONG_VRS = new Set('OB OD OF OL OV OW SQ SV UC UN UR UT UV'.split(' '))
const VRS = new Set([...LONG_VRS, ...'AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US'.split(' ')])
const IMPLICIT = '1.2.840.10008.1.2'
const BIG_ENDIAN = '1.2.840.10008.1.2.2'
const DEFLATED = '1.2.840.10008.1.2.1.99'

interface Element {
  readonly tag: number
  readonly vr: string
  readonly position: number
  readonly length: number
}

export function isDicom(head: string): boolean {
  return head.startsWith('DICM', PREAMBLE_BYTES)
}

export async function dicomPatches(file: Source): Promise<Patch[]> {
  if (file.size > LARGEST_IMAGE) throw new Damaged('no image of this kind is so large')
  const content = await file.bytes(0, file.size)
  const text = (position: number, length: number): string => toText(content.subarray(position, position + length))
  const patches = patch('preamble', 'bytes', 0, text(0, PREAMBLE_BYTES))
  const creators = new Map<number, string>()
  for (const element of elementsOf(content)) {
    if (isCreator(element)) {
      creators.set(element.tag, text(element.position, element.length).replace(/^[\0 ]+|[\0 ]+$/g, ''))
    }
    if (element.length === 0 || isKept(element, creators)) continue
    patches.push(...patch(nameOf(element), kindOf(element), element.position, text(element.position, element.length)))
  }
  return patches
}

function elementsOf(content: Uint8Array): Element[] {
  const meta = new Walk(content, true, true)
  const start = meta.groupTwo(PREAMBLE_BYTES + 4)
  const named = meta.found.find((element) => element.tag === TRANSFER_SYNTAX)
  const syntax = named
    ? toText(content.subarray(named.position, named.position + Math.min(named.length, 128))).replace(/[\0 ]+$/, '')
    : IMPLICIT
  if (syntax === DEFLATED) throw new Error('The DICOM data set is deflated. Export it uncompressed.')
  const body = new Walk(content, syntax !== IMPLICIT, syntax !== BIG_ENDIAN)
  body.elements(start, content.length, 0, body.isExplicit)
  return [...meta.found, ...body.found]
}

class Walk {
  readonly found: Element[] = []
  private readonly view: DataView

  constructor(
    content: Uint8Array,
    readonly isExplicit: boolean,
    private readonly isLittle: boolean,
  ) {
    this.view = new DataView(content.buffer, content.byteOffset, content.byteLength)
  }

  groupTwo(position: number): number {
    let at = position
    while (at + 8 <= this.view.byteLength && this.view.getUint16(at, true) === 2) {
      at = this.value(this.head(at, true), this.view.byteLength, 0, true)
    }
    return at
  }

  elements(position: number, end: number, depth: number, isExplicit: boolean): number {
    let at = position
    while (at < end) {
      const head = this.head(at, isExplicit)
      if (head.tag === ITEM_END) return head.position
      if (head.tag >>> 16 === 0xfffe) throw damaged(at)
      at = this.value(head, end, depth, isExplicit)
    }
    if (at > end) throw damaged(end)
    return at
  }

  private value(head: Element, end: number, depth: number, isExplicit: boolean): number {
    if (head.length === UNDEFINED) {
      if (head.tag === PIXEL_DATA && depth === 0) return this.fragments(head)
      return this.items(head.position, this.view.byteLength, depth + 1, isExplicit && head.vr !== 'UN')
    }
    const after = head.position + head.length
    if (after > end) throw damaged(head.position)
    if (head.vr === 'SQ' || (head.vr === UNKNOWN && this.beginsWithItem(head))) {
      return this.items(head.position, after, depth + 1, isExplicit)
    }
    this.add(head)
    return after
  }

  private items(position: number, end: number, depth: number, isExplicit: boolean): number {
    if (depth > DEEPEST) throw damaged(position)
    let at = position
    while (at < end) {
      const [tag, length] = this.itemHead(at)
      at += 8
      if (tag === SEQUENCE_END) return at
      if (tag !== ITEM) throw damaged(at)
      const itemEnd = length === UNDEFINED ? end : at + length
      if (itemEnd > end) throw damaged(at)
      at = this.elements(at, itemEnd, depth, isExplicit)
    }
    return at
  }

  private fragments(head: Element): number {
    let at = head.position
    for (;;) {
      const [tag, length] = this.itemHead(at)
      at += 8
      if (tag === SEQUENCE_END) break
      if (tag !== ITEM || at + length > this.view.byteLength) throw damaged(at)
      at += length
    }
    this.add({ ...head, length: at - head.position })
    return at
  }

  private beginsWithItem(head: Element): boolean {
    if (head.length < 8) return false
    const [tag, length] = this.itemHead(head.position)
    return tag === ITEM && (length === UNDEFINED || length + 8 <= head.length)
  }

  private itemHead(position: number): [number, number] {
    this.need(position, 8)
    return [this.tag(position), this.view.getUint32(position + 4, this.isLittle)]
  }

  private head(position: number, isExplicit: boolean): Element {
    this.need(position, 8)
    const tag = this.tag(position)
    if (tag >>> 16 === 0xfffe || !isExplicit) {
      return { tag, vr: UNKNOWN, length: this.view.getUint32(position + 4, this.isLittle), position: position + 8 }
    }
    const vr = String.fromCharCode(this.view.getUint8(position + 4), this.view.getUint8(position + 5))
    if (!VRS.has(vr)) throw damaged(position)
    if (!LONG_VRS.has(vr)) {
      return { tag, vr, length: this.view.getUint16(position + 6, this.isLittle), position: position + 8 }
    }
    this.need(position, 12)
    return { tag, vr, length: this.view.getUint32(position + 8, this.isLittle), position: position + 12 }
  }

  private tag(position: number): number {
    const group = this.view.getUint16(position, this.isLittle)
    return ((group << 16) | this.view.getUint16(position + 2, this.isLittle)) >>> 0
  }

  private need(position: number, count: number): void {
    if (position + count > this.view.byteLength) throw damaged(position)
  }

  private add(element: Element): void {
    this.found.push(element)
    if (this.found.length > MOST_ELEMENTS) throw new Damaged('it has more elements than an image has')
  }
}

const asNumber = (tag: string): number => Number.parseInt(tag.replace(',', ''), 16)
const asTag = (tag: number): string => tag.toString(16).toUpperCase().padStart(8, '0')
const KEPT = new Set(rules.dicom.keep.map((element) => asNumber(element.tag)))
const PRIVATE = rules.dicom.keep_private.map((element) => ({
  pattern: new RegExp(`^${element.tag.replace(',', '').replaceAll('x', '[0-9A-F]')}$`),
  creator: element.creator,
}))
const NAMED = new Map(rules.dicom.blank.map((element) => [asNumber(element.tag), element]))
const KINDS = new Map(Object.entries(rules.dicom.kinds).flatMap(([kind, vrs]) => vrs.map((vr) => [vr, kind as Kind])))

function isCreator({ tag, length }: Element): boolean {
  const number = tag & 0xffff
  return ((tag >>> 16) & 1) === 1 && number >= 0x10 && number <= 0xff && length <= 64
}

function isKept(element: Element, creators: ReadonlyMap<number, string>): boolean {
  const group = element.tag >>> 16
  const number = element.tag & 0xffff
  if (KEPT.has(element.tag) || number === 0 || group === 0xfffc) return true
  if ((group & 1) === 0) return false
  if (isCreator(element)) return true
  const creator = creators.get(((group << 16) | (number >>> 8)) >>> 0)
  return PRIVATE.some((kept) => kept.pattern.test(asTag(element.tag)) && kept.creator === creator)
}

function nameOf(element: Element): string {
  const named = NAMED.get(element.tag)
  if (named) return named.name
  const tag = asTag(element.tag)
  const group = tag.slice(0, 4)
  return (element.tag >>> 16) & 1 ? `private elements (${group})` : `(${group},${tag.slice(4)})`
}

function kindOf(element: Element): Kind {
  const named = NAMED.get(element.tag)
  return KINDS.get(element.vr === UNKNOWN && named ? named.vr : element.vr) ?? 'bytes'
}

function damaged(position: number): Damaged {
  return new Damaged(`at byte ${position}`)
}
