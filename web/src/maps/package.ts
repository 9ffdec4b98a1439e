// The result package of a job, read where it lies: in the storage of its unit, by requests signed for minutes.
import { call } from '../api'
import { readVolume, type Volume } from './volume'

export interface SignedLink {
  readonly method: string
  readonly url: string
  readonly headers: Record<string, string>
}
export interface ResultFile extends SignedLink {
  readonly name: string
  readonly sizeBytes: number
}
interface Result {
  readonly package: ResultFile | null
  readonly files: readonly ResultFile[]
}
export interface MapEntry {
  readonly filename: string
  readonly id: number
  readonly dim: number
  readonly name: string
  readonly type: 'output' | 'accessory' | 'mask'
  readonly unit: string
  readonly description?: string
}
export interface ScaleStep {
  readonly name: string
  readonly value: number
  readonly source: string
}
export interface Noise {
  readonly origin: string
  readonly n_samples: number
  readonly dc_fraction: number
  readonly sigma: readonly number[]
  readonly scale_factors: readonly ScaleStep[]
  readonly scale_power: number
}
export interface Info {
  readonly data: readonly MapEntry[]
  readonly headers: { readonly calculation_time: number }
  readonly info: {
    readonly convention?: string
    readonly warnings: readonly string[]
    readonly methods: readonly string[]
    readonly protocol: { readonly coil_names: readonly string[] }
    readonly noise: Noise | null
  }
}

const SNR = 0
/** Signed requests end after minutes; older ones are asked for again. */
const FRESH_MS = 240_000
const MASK = 100

/** Where the API has a job: one's own by its id, one that a link leads to by the secret of the link. */
export function placeOf(job: string): string {
  return job.startsWith('cmrshare_') ? `/api/shared/${job}` : `/api/job/${job}`
}

/** A result that was opened: its documents are read, its maps when they are asked for. */
export class ResultPackage {
  private askedAt = Date.now()

  private constructor(
    readonly jobId: string,
    private result: Result,
    readonly info: Info,
  ) {}

  static async open(jobId: string): Promise<ResultPackage> {
    const result = await call<Result>('GET', `${placeOf(jobId)}/result`)
    const file = result.files.find(({ name }) => name === 'info.json')
    if (!file) throw new Error('This job left no maps.')
    const bytes = await fetched(file)
    return new ResultPackage(jobId, result, JSON.parse(new TextDecoder().decode(bytes)) as Info)
  }

  /** The maps that lie on voxels, the SNR first. */
  get maps(): readonly MapEntry[] {
    const maps = this.info.data.filter(({ dim }) => dim === 3)
    return [...maps.filter(({ id }) => id === SNR), ...maps.filter(({ id }) => id !== SNR)]
  }
  get files(): readonly ResultFile[] {
    return this.result.files
  }
  get everything(): ResultFile | null {
    return this.result.package
  }

  /** Reads a map whole. */
  async volume(entry: MapEntry): Promise<Volume> {
    return readVolume(await this.bytes(entry.filename))
  }
  /** Reads the mask of the object on the voxels of a map; null where there is none. */
  async objectMask(entry: MapEntry): Promise<Volume | null> {
    const stack = stackOf(entry)
    const mask = this.info.data.find((each) => each.id === MASK && stackOf(each) === stack)
    return mask ? this.volume(mask) : null
  }

  /** Reads a file; signed requests end after minutes, so one that is refused is asked for again. */
  async bytes(name: string): Promise<ArrayBuffer> {
    try {
      return await fetched(this.link(name))
    } catch {
      await this.askAgain()
      return fetched(this.link(name))
    }
  }

  /** Returns an address to take a file from that is good for minutes from now. */
  async freshUrl(file: ResultFile): Promise<string> {
    if (Date.now() - this.askedAt > FRESH_MS) await this.askAgain()
    const { result } = this
    return [...result.files, ...(result.package ? [result.package] : [])].find(({ name }) => name === file.name)?.url ?? file.url
  }

  private async askAgain(): Promise<void> {
    this.result = await call<Result>('GET', `${placeOf(this.jobId)}/result`)
    this.askedAt = Date.now()
  }

  private link(name: string): SignedLink {
    const file = this.result.files.find((each) => each.name === name)
    if (!file) throw new Error(`The result has no file ${name}.`)
    return file
  }
}

/** Which stack of slices an entry is of: the end of its file's name. */
export function stackOf(entry: MapEntry): string {
  return /_stack(\d+)\.nii/.exec(entry.filename)?.[1] ?? ''
}

/** What a map is called in lists. */
export function titleOf(entry: MapEntry): string {
  const stack = stackOf(entry)
  return stack ? `${entry.name}, stack ${stack}` : entry.name
}

/** The unit as it is shown; a ratio has none. */
export function unitOf(entry: MapEntry): string {
  return entry.unit === '1' ? '' : entry.unit
}

export async function fetched(link: SignedLink): Promise<ArrayBuffer> {
  const response = await fetch(link.url, { headers: link.headers, credentials: 'omit' })
  if (!response.ok) throw new Error(`The storage of the unit answered ${response.status}.`)
  return response.arrayBuffer()
}
