// Bytes as text of one character each, so that patterns see what a file holds, and nothing is decoded on the way.
export function toText(bytes: Uint8Array): string {
  const pieces: string[] = []
  for (let start = 0; start < bytes.length; start += 0x8000) {
    pieces.push(String.fromCharCode(...bytes.subarray(start, start + 0x8000)))
  }
  return pieces.join('')
}

export function toBytes(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length)
  for (let place = 0; place < text.length; place += 1) bytes[place] = text.charCodeAt(place)
  return bytes
}

/** Reads a file in pieces; what lies beyond its end is damage. */
export class Source {
  constructor(readonly blob: Blob) {}

  get size(): number {
    return this.blob.size
  }

  async bytes(start: number, count: number): Promise<Uint8Array<ArrayBuffer>> {
    if (start < 0 || count < 0 || start + count > this.size) throw new Damaged(`it ends at byte ${this.size}`)
    return new Uint8Array(await this.blob.slice(start, start + count).arrayBuffer())
  }

  async text(start: number, count: number): Promise<string> {
    return toText(await this.bytes(start, count))
  }
}

/** A file that does not say what a file of its kind must say. */
export class Damaged extends Error {
  constructor(what: string) {
    super(`The file is damaged or truncated: ${what}.`)
  }
}
